import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import pLimit from 'p-limit';

export type Hashes = { md5: string; sha1: string; sha256: string };

// More would only make the disk seek; the hashes themselves are computed on one thread anyway.
const limit = pLimit(4);
const longestRead = 1 << 18;

/** The checksums that Drive gives of a file, in bounded memory. */
export const hashFile = (path: string): Promise<Hashes> =>
  limit(async () => {
    const algorithms = ['md5', 'sha1', 'sha256'] as const;
    const hashes = algorithms.map((algorithm) => createHash(algorithm));
    await using file = await open(path, 'r');
    // Most files are small, and a stream's buffers would be most of the work.
    const { size } = await file.stat();
    const buffer = Buffer.allocUnsafe(Math.min(longestRead, size + 1));
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) break;
      for (const hash of hashes) hash.update(buffer.subarray(0, bytesRead));
    }
    const [md5 = '', sha1 = '', sha256 = ''] = hashes.map((hash) => hash.digest('hex'));
    return { md5, sha1, sha256 };
  });
