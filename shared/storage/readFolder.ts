import pLimit from 'p-limit';
import * as z from 'zod';
import { BadRecord, type Records } from './records.ts';

/** A record that is not what it should be, and why. */
export const Unreadable = z.object({ id: z.string(), reason: z.string() });
export type Unreadable = z.infer<typeof Unreadable>;

const atATime = 16;

/**
 * Reads the records of a folder, in the order of their names. One that is not what it should be is named, and hides none of
 * the others. No answer is another thing, since there may well be a record: it is thrown.
 * @param folder with its slash; the record of an id is `<folder><id>.json`
 * @param read gives undefined for what is not wanted, or not there any more
 */
export async function readFolder<T>(
  records: Records,
  folder: string,
  read: (id: string) => Promise<T | undefined>,
): Promise<{ found: T[]; unreadable: Unreadable[] }> {
  const ids: string[] = [];
  for await (const name of records.list(folder)) ids.push(name.slice(folder.length, -'.json'.length));
  const unreadable: Unreadable[] = [];
  const limit = pLimit(atATime);
  const found = await Promise.all(
    ids.map((id) =>
      limit(() =>
        read(id).catch((error: unknown) => {
          if (!(error instanceof BadRecord)) throw error;
          unreadable.push({ id, reason: error.message });
          return undefined;
        }),
      ),
    ),
  );
  return {
    found: found.filter((one) => one !== undefined),
    unreadable: unreadable.sort((one, other) => (one.id < other.id ? -1 : 1)),
  };
}
