import { GoogleError } from '../googleError.ts';

/** One part of a multipart body. Its `body` must be read to the end before the next part is asked for. */
export type Part = { headers: Map<string, string>; body: AsyncGenerator<Buffer> };

const invalid = (message: string) =>
  new GoogleError(400, 'badContent', `Malformed multipart body: ${message}`);

/** gcloud puts the boundary in single quotes. @throws 400 if the content type is not multipart with a boundary */
export function boundaryOf(contentType = ''): string {
  const boundary =
    /^multipart\/\w+\s*;(?:.*;)?\s*boundary=(?<quote>["']?)(?<boundary>[^\s;"]{1,70})\k<quote>/i.exec(
      contentType,
    )?.groups?.boundary;
  if (!boundary) throw invalid('the content type names no boundary.');
  return boundary;
}

/**
 * Reads a multipart body as it arrives; only as much as could be a boundary is held back. Lines may end in CRLF or,
 * as gcloud writes them, in LF; the first line tells. https://www.rfc-editor.org/rfc/rfc2046#section-5.1
 */
export async function* readParts(source: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  const chunks = source[Symbol.asyncIterator]();
  let buffer: Buffer = Buffer.alloc(0);
  const more = async () => {
    const { done, value } = await chunks.next();
    if (done) throw invalid('it ends before its last boundary.');
    buffer = buffer.length === 0 ? value : Buffer.concat([buffer, value]);
  };
  /** Takes everything before `end`, which must come within `limit` bytes. */
  const take = async (end: string, limit: number) => {
    for (let from = 0; ; ) {
      const at = buffer.indexOf(end, from);
      if (at >= 0) {
        const taken = buffer.subarray(0, at);
        buffer = buffer.subarray(at + end.length);
        return taken;
      }
      if (buffer.length > limit) throw invalid('a boundary or a header is missing.');
      from = Math.max(0, buffer.length - end.length);
      await more();
    }
  };
  async function* bodyUntil(delimiter: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = buffer.indexOf(delimiter);
      const sure = at >= 0 ? at : Math.max(0, buffer.length - delimiter.length + 1);
      if (sure > 0) yield buffer.subarray(0, sure);
      buffer = buffer.subarray(at >= 0 ? at + delimiter.length : sure);
      if (at >= 0) return;
      await more();
    }
  }

  await take(`--${boundary}`, 65536);
  let newline = (await take('\n', 100)).at(-1) === 13 ? '\r\n' : '\n';
  for (;;) {
    const headers = new Map<string, string>();
    for (;;) {
      const line = (await take('\n', 65536)).toString().trim();
      if (line === '') break;
      const colon = line.indexOf(':');
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    const body = bodyUntil(Buffer.from(`${newline}--${boundary}`));
    yield { headers, body };
    while (buffer.length < 2) await more();
    if (buffer.subarray(0, 2).toString() === '--') break;
    newline = (await take('\n', 100)).at(-1) === 13 ? '\r\n' : '\n';
  }
  // What comes after the last boundary says nothing, but must be read.
  while (!(await chunks.next()).done);
}

/** Reads a part that is small. @throws 400 if it is longer than `limit` bytes */
export async function readSmall(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw invalid(`a part is longer than ${limit} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
