import { GoogleError } from '../../googleError.ts';

export type Part = { contentType: string | undefined; body: AsyncIterable<Buffer> };

const longestHeader = 16 * 1024;

/** Cuts a `multipart/related` body into its parts, one after the other; each must be read before the next. */
export async function* readParts(source: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  const chunks = withLineEnd(source);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // So that the first boundary, at the very beginning, is found like the others.
  let buffer = Buffer.from('\r\n');

  await collect(until(delimiter), longestHeader);
  for (;;) {
    const head = await collect(until(Buffer.from('\r\n')), longestHeader);
    if (head.toString('latin1').startsWith('--')) return;
    let contentType: string | undefined;
    for (;;) {
      const line = (await collect(until(Buffer.from('\r\n')), longestHeader)).toString('latin1');
      if (line === '') break;
      contentType = /^content-type:\s*(.*?)\s*$/i.exec(line)?.[1] ?? contentType;
    }
    yield { contentType, body: until(delimiter) };
  }

  /** What comes before the mark, which is left out. */
  async function* until(mark: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = buffer.indexOf(mark);
      const safe = at >= 0 ? at : Math.max(0, buffer.length - mark.length + 1);
      const before = buffer.subarray(0, safe);
      buffer = buffer.subarray(safe);
      if (before.length > 0) yield before;
      if (at >= 0) {
        buffer = buffer.subarray(mark.length);
        return;
      }
      const { done, value } = await chunks.next();
      if (done) throw new GoogleError(400, 'badRequest', 'Malformed multipart body.');
      buffer = Buffer.concat([buffer, value]);
    }
  }
}

/** The last boundary may end the body, without a line end after it: so Google's own Node client writes it. */
async function* withLineEnd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* source;
  yield Buffer.from('\r\n');
}

/** @throws 400 if it is longer than `limit` bytes */
export async function collect(source: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > limit) throw new GoogleError(400, 'badRequest', 'Malformed multipart body.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
