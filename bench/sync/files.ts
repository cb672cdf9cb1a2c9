import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';

/** Names of files to their MD5, in base64, as Cloud Storage gives it. */
export type Files = Map<string, string>;

const block = 16 * 1024 * 1024;

/** A file of random blocks, each repeated some times and marked with its place: no two parts are the same. */
export async function writeLarge(folder: string, name: string, bytes: number): Promise<Files> {
  await mkdir(folder, { recursive: true });
  const blocks = Array.from({ length: 4 }, () => randomBytes(Math.min(block, bytes)));
  const md5 = createHash('md5');
  await using file = await open(join(folder, name), 'wx');
  for (let at = 0, index = 0; at < bytes; at += block, index++) {
    const whole = blocks[index % blocks.length] as Buffer;
    if (whole.length >= 8) whole.writeBigUInt64LE(BigInt(at));
    const part = whole.subarray(0, Math.min(block, bytes - at));
    md5.update(part);
    await file.writeFile(part);
  }
  return new Map([[name, md5.digest('base64')]]);
}

/** Many files of random bytes. */
export async function writeMany(folder: string, count: number, bytes: number): Promise<Files> {
  await mkdir(folder, { recursive: true });
  const limit = pLimit(64);
  const write = async (index: number): Promise<[string, string]> => {
    const name = `${String(index).padStart(5, '0')}.bin`;
    const content = randomBytes(bytes);
    await writeFile(join(folder, name), content);
    return [name, createHash('md5').update(content).digest('base64')];
  };
  return new Map(await Promise.all(Array.from({ length: count }, (_, index) => limit(write, index))));
}
