import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { GoogleError } from '../googleError.ts';
import { sendFile } from '../sendFile.ts';
import { etagOf, type Generation } from './resource.ts';

/**
 * Sends the bytes of an object, or a range of them.
 * https://cloud.google.com/storage/docs/json_api/v1/objects/get#parameters
 * @throws 416 for a range that begins after the end
 */
export async function sendMedia(request: Request, response: Response, object: Generation, path: string) {
  const { size } = object;
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    // Deleted for good since it was looked up.
    if (error.code === 'ENOENT') throw new GoogleError(404, 'notFound', `No such object: ${object.name}`);
    throw error;
  });
  try {
    setHeaders(response, object);
    // https://cloud.google.com/storage/docs/transcoding
    const unzips =
      object.metadata.contentEncoding === 'gzip' &&
      !/\bgzip\b/.test(request.get('accept-encoding') ?? '') &&
      !/\bno-transform\b/.test(object.metadata.cacheControl ?? '');
    const range = unzips ? undefined : readRange(request.get('range'), size);
    const { first, last } = range ?? { first: 0, last: size - 1 };
    if (unzips) {
      response.removeHeader('Content-Encoding');
      response.setHeader('Warning', '214 UploadServer gunzipped');
    } else {
      response.setHeader('Content-Length', last - first + 1);
    }
    if (range) {
      response.status(206).setHeader('Content-Range', `bytes ${first}-${last}/${size}`);
    }
    if (request.method === 'HEAD' || size === 0) return void response.end();
    await (unzips
      ? pipeline(file.createReadStream({ autoClose: false }), createGunzip(), response)
      : sendFile(file, { first, last }, response));
  } catch (error) {
    // The client went away; there is nobody to tell.
    if (!(response.destroyed || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'))
      throw error;
  } finally {
    await file.close();
  }
}

/** HTTP headers are bytes; UTF-8 is what Cloud Storage puts into them. */
const asHeader = (value: string) => Buffer.from(value.replace(/\p{Cc}/gu, ' ')).toString('latin1');

function setHeaders(response: Response, object: Generation): void {
  const { metadata, md5, size } = object;
  const headers: Record<string, string | undefined> = {
    'Content-Type': metadata.contentType ?? 'application/octet-stream',
    'Content-Encoding': metadata.contentEncoding,
    'Content-Disposition': metadata.contentDisposition,
    'Content-Language': metadata.contentLanguage,
    'Cache-Control': metadata.cacheControl ?? 'private, max-age=0',
    'Accept-Ranges': 'bytes',
    ETag: etagOf(object),
    'Last-Modified': new Date(object.updated).toUTCString(),
    'X-Goog-Generation': String(object.generation),
    'X-Goog-Metageneration': String(object.metageneration),
    // One header: two would reach the Node library with a space that it does not expect.
    'X-Goog-Hash': `crc32c=${object.crc32c}${md5 === null ? '' : `,md5=${md5}`}`,
    'X-Goog-Storage-Class': metadata.storageClass ?? 'STANDARD',
    'X-Goog-Stored-Content-Encoding': metadata.contentEncoding ?? 'identity',
    'X-Goog-Stored-Content-Length': String(size),
  };
  for (const [key, value] of Object.entries(metadata.metadata ?? {})) {
    if (/^[\w-]+$/.test(key)) headers[`X-Goog-Meta-${key}`] = value;
  }
  for (const [name, value] of Object.entries(headers)) {
    // Not Express's `set`: it would change the content type.
    if (value !== undefined) response.setHeader(name, asHeader(value));
  }
}

/** `bytes=0-99`, `bytes=100-` or `bytes=-100`; anything else is ignored, as RFC 9110 wants it. */
function readRange(header: string | undefined, size: number): { first: number; last: number } | undefined {
  const [match, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (!match || (!from && !to)) return undefined;
  const first = from ? Number(from) : Math.max(0, size - Number(to));
  const last = from && to ? Math.min(Number(to), size - 1) : size - 1;
  if (from && to && Number(to) < Number(from)) return undefined;
  if (first < size && first <= last) return { first, last };
  throw new GoogleError(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable', {
    headers: { 'Content-Range': `bytes */${size}` },
  });
}
