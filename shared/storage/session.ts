import type { Bucket, FileMetadata, Storage } from '@google-cloud/storage';
import type { GoogleAuth } from 'google-auth-library';
import { codeOf } from './codeOf.ts';
import { type ObjectDescription, type RawObject, rawObject, resourceOf } from './rawObject.ts';

/*
 * Resumable uploads, which outlive the process that began them.
 * https://cloud.google.com/storage/docs/performing-resumable-uploads
 *
 * Only the beginning is the client library's. Its `createWriteStream({ uri, offset, isPartialUpload })` reports success
 * when the server kept only part of a chunk, and without `chunkSize` it cannot send such a part again.
 */

/** Slices, but for the last, are multiples of this. */
export const quantum = 256 * 1024;

export type Progress =
  | { state: 'open' /** How many bytes the server has for sure. */; offset: number }
  | { state: 'done'; object: RawObject }
  /** All bytes are there, and they are not those of the MD5 that it was told of. */
  | { state: 'refused' }
  /** The session has ended without an object; the upload must begin anew. */
  | { state: 'gone' }
  /** Another generation is in the object's place. */
  | { state: 'conflict' };

/**
 * Begins an upload. Precondition and MD5 are told now and hold at its end.
 * @returns its address, or undefined if another generation is in the object's place
 */
export async function openSession(
  bucket: Bucket,
  { name, ...description }: ObjectDescription,
  replaces: string,
  size?: number,
): Promise<string | undefined> {
  try {
    const [uri] = await bucket.file(name).createResumableUpload({
      preconditionOpts: { ifGenerationMatch: replaces },
      metadata: { ...resourceOf(description), ...(size === undefined ? {} : { contentLength: size }) },
    });
    return uri;
  } catch (error) {
    if (codeOf(error) === 412) return undefined;
    throw error;
  }
}

/** Not again by the library: what has arrived must be asked for before any bytes are sent again. */
const once = { retry: 0, noResponseRetries: 0 };

/** Sends what begins at `offset`; with `total`, these are the last bytes. */
export async function sendSlice(
  storage: Storage,
  uri: string,
  bytes: Buffer,
  offset: number,
  total?: number,
): Promise<Progress> {
  const range = bytes.length === 0 ? '*' : `${offset}-${offset + bytes.length - 1}`;
  return request(storage, uri, 'PUT', {
    headers: { 'content-range': `bytes ${range}/${total ?? '*'}` },
    data: bytes,
    retryConfig: once,
  });
}

/**
 * Sends the bytes from `from` up to, and without, `to`.
 * @param send makes the request, in place of `fetch`, and has its body
 * @throws that the request failed; `progressOf` tells what has arrived
 */
export async function sendRange(
  storage: Storage,
  uri: string,
  send: typeof fetch,
  from: number,
  to: number,
  isLast: boolean,
): Promise<Progress> {
  const headers = {
    'content-range': `bytes ${from}-${to - 1}/${isLast ? to : '*'}`,
    'content-length': String(to - from),
  };
  const options = { headers, fetchImplementation: send, retryConfig: once };
  // Bytes that are not those of the session's MD5 are refused when all of them are there.
  return request(storage, uri, 'PUT', options, isLast ? [...known, 400] : known);
}

/** Where the upload stands. */
export async function progressOf(storage: Storage, uri: string, total?: number): Promise<Progress> {
  return request(storage, uri, 'PUT', {
    headers: { 'content-range': `bytes */${total ?? '*'}` },
    retryConfig: { retry: 5, noResponseRetries: 5, httpMethodsToRetry: ['PUT'] },
  });
}

/** Nothing of it stays. */
export async function cancelSession(storage: Storage, uri: string): Promise<void> {
  // It would end by itself in a week, so no answer is good enough.
  await request(storage, uri, 'DELETE', {}).catch(() => {});
}

const known = [308, 404, 410, 412, 499];

async function request(
  storage: Storage,
  url: string,
  method: 'PUT' | 'DELETE',
  options: object,
  answers = known,
): Promise<Progress> {
  const auth = storage.authClient as object as GoogleAuth;
  const { status, data, headers } = await auth.request<FileMetadata>({
    url,
    method,
    ...options,
    validateStatus: (code) => code < 300 || answers.includes(code),
  });
  switch (status) {
    case 308: {
      const [, last] = /-(\d+)$/.exec(headers.get('range') ?? '') ?? [];
      return { state: 'open', offset: last === undefined ? 0 : Number(last) + 1 };
    }
    // https://cloud.google.com/storage/docs/data-validation#server-side-validation
    case 400:
      return { state: 'refused' };
    case 404:
    case 410:
    case 499:
      return { state: 'gone' };
    case 412:
      return { state: 'conflict' };
    default:
      return { state: 'done', object: rawObject(data) };
  }
}
