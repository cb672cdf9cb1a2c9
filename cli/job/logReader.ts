import { readObject } from '../../shared/storage/readObject.ts';
import { cleanLine } from './cleanLine.ts';
import type { OpenJobs } from './open.ts';

/**
 * Reads on in the log of an attempt: each time the lines that are new. A piece may end within a line, and even within a
 * character, if the line is very long.
 */
export function logReader({ derived, derivedRecords }: OpenJobs, id: string, attempt: number) {
  const folder = `jobs/${id}/attempts/${attempt}/log/`;
  const decoder = new TextDecoder();
  let last: string | undefined;
  let rest = '';

  return {
    /** @param isLast nothing comes any more: a last line without an end is one as well */
    async *lines(isLast: boolean): AsyncIterable<string> {
      for await (const name of derivedRecords.list(folder, last)) {
        if (name === last || !/\/\d{6}\.txt$/.test(name)) continue;
        const piece = await readObject(derived.file(name));
        if (!piece) continue;
        last = name;
        const lines = (rest + decoder.decode(piece.bytes, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        yield* lines.map(cleanLine);
      }
      if (!isLast) return;
      const end = rest + decoder.decode();
      rest = '';
      if (end) yield cleanLine(end);
    },
  };
}
