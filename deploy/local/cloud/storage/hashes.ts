import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { GoogleError } from '../googleError.ts';
import { base64OfCrc32c, crc32c } from './crc32c.ts';

/** What Cloud Storage knows about some bytes; hashes in base64. A composed object has no MD5. */
export type Content = { size: number; md5: string | null; crc32c: string };
export type HashedContent = Content & { md5: string };

/** The hashes that a client says its bytes have. */
export type ExpectedHashes = { md5?: string; crc32c?: string };

/** Hashes bytes as they pass. */
export type Hasher = {
  readonly size: number;
  update(bytes: Uint8Array): void;
  /** Of what has passed so far; more may come after it. */
  content(): HashedContent;
};

/** Hashes bytes on their way into a file, here or in a thread that follows the file. */
export type Hashing = {
  /** How many bytes were taken. */
  readonly size: number;
  /** The next bytes. @param written settles once the file holds them, and so does what is returned, at the earliest */
  take(bytes: Buffer[], written: Promise<void>): Promise<void>;
  /** Of what was taken so far; more may come after it. */
  content(): Promise<HashedContent>;
};

export function createHasher(): Hasher {
  const md5 = createHash('md5');
  let crc = crc32c(new Uint8Array());
  let size = 0;
  return {
    get size() {
      return size;
    },
    update(bytes) {
      md5.update(bytes);
      crc = crc32c(bytes, crc);
      size += bytes.length;
    },
    content: () => ({ size, md5: md5.copy().digest('base64'), crc32c: base64OfCrc32c(crc) }),
  };
}

/** For what is small: done before a thread would have heard of it. */
export function hashHere(): Hashing {
  const hasher = createHasher();
  return {
    get size() {
      return hasher.size;
    },
    async take(bytes, written) {
      for (const chunk of bytes) hasher.update(chunk);
      await written;
    },
    content: async () => hasher.content(),
  };
}

/**
 * `X-Goog-Hash: crc32c=…,md5=…` and `Content-MD5`.
 * https://cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash
 */
export function hashesInHeaders(request: Request): ExpectedHashes {
  const expected: ExpectedHashes = {};
  const contentMd5 = request.get('content-md5');
  if (contentMd5) expected.md5 = contentMd5;
  for (const one of request.get('x-goog-hash')?.split(',') ?? []) {
    const [, kind, value] = /^\s*(md5|crc32c)=(\S+)\s*$/.exec(one) ?? [];
    if (kind && value) expected[kind as 'md5' | 'crc32c'] = value;
  }
  return expected;
}

/** @throws 400 if the bytes are not those that the client meant to send */
export function requireHashes(expected: ExpectedHashes, actual: Content): void {
  for (const kind of ['md5', 'crc32c'] as const) {
    const wanted = expected[kind];
    if (wanted === undefined || actual[kind] === null || wanted === actual[kind]) continue;
    const what = kind === 'md5' ? 'MD5 hash' : 'CRC32C';
    const message = `Provided ${what} "${wanted}" doesn't match calculated ${what} "${actual[kind]}".`;
    throw new GoogleError(400, 'invalid', message);
  }
}
