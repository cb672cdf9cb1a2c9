import type { IncomingMessage } from 'node:http';

/** Bytes. Pub/Sub would send up to 10 MB; no message of ours comes near this. */
export const bodyLimit = 1024 * 1024;

/**
 * Before a function is asked, the framework would parse up to 1 GB, inflate what is compressed, and answer a parse
 * error with a stack trace. Its parser passes by a request that declares no body (`hasBody` of the `type-is` package),
 * so the two headers that declare one are taken off as a request comes in, and `readBody` reads it.
 */
export function hideBody({ headers }: IncomingMessage): void {
  headers['x-declared-length'] = headers['content-length'] ?? '';
  delete headers['content-length'];
  delete headers['transfer-encoding'];
}

/** @returns undefined if it is compressed or over the limit; the rest of it is not read. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const { 'content-encoding': encoding = 'identity', 'x-declared-length': declared } = request.headers;
  if (encoding !== 'identity' || Number(declared) > bodyLimit) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  // Without destroying the request on the way out: its socket is still to carry the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
