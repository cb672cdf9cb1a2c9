import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import pLimit from 'p-limit';

export type Hashes = { md5: string; sha1: string; sha256: string };

// More would only make the disk seek; the hashes themselves are computed on one thread anyway.
const limit = pLimit(4);

/** The checksums that Drive gives of a file, read as a stream. */
export const hashFile = (path: string): Promise<Hashes> =>
  limit(async () => {
    const algorithms = ['md5', 'sha1', 'sha256'] as const;
    const hashes = algorithms.map((algorithm) => createHash(algorithm));
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      for (const hash of hashes) hash.update(chunk as Buffer);
    }
    const [md5 = '', sha1 = '', sha256 = ''] = hashes.map((hash) => hash.digest('hex'));
    return { md5, sha1, sha256 };
  });
