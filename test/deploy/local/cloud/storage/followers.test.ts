import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createFollowers, type Followers } from '../../../../../deploy/local/cloud/storage/followers.ts';
import { bytes } from './raw.ts';

let dir = '';
let path = '';
let file: FileHandle;
let followers: Followers;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
  path = join(dir, 'followed');
  file = await open(path, 'w+');
  followers = createFollowers();
});
afterEach(async () => {
  await followers.close();
  await file.close();
  await rm(dir, { recursive: true });
});

const md5 = (data: Buffer) => createHash('md5').update(data).digest('base64');
const write = async (data: Buffer, at: number) => void (await file.write(data, 0, data.length, at));

test('the hashes are of what was taken, at any time', async () => {
  const data = bytes(1_000_000);
  const hashing = followers.follow(path);
  expect(await hashing.content()).toMatchObject({ size: 0, md5: md5(Buffer.alloc(0)) });
  for (let at = 0; at < data.length; at += 250_000) {
    const piece = data.subarray(at, at + 250_000);
    await hashing.take([piece.subarray(0, 9), piece.subarray(9)], write(piece, at));
    if (at > 0) expect(await hashing.content()).toMatchObject({ md5: md5(data.subarray(0, at + 250_000)) });
  }
  expect(hashing.size).toBe(data.length);
});

test('bytes that could not be written do not count', async () => {
  const hashing = followers.follow(path);
  await hashing.take([Buffer.from('a')], write(Buffer.from('a'), 0));
  const full = Promise.reject(new Error('ENOSPC'));
  await expect(hashing.take([Buffer.from('b')], full)).rejects.toThrow('ENOSPC');
  expect(await hashing.content()).toMatchObject({ size: 1, md5: md5(Buffer.from('a')) });
});

test('a long file that is there already is hashed from its beginning, and holds up no short one', async () => {
  const size = 80 * 2 ** 20;
  await file.truncate(size);
  const all = Array.from({ length: 3 }, () => followers.follow(path, size).content());
  await writeFile(join(dir, 'short'), 'short');
  await followers.follow(join(dir, 'short'), 5).content();
  expect(await Promise.race([...all, 'none yet'])).toBe('none yet');
  const hash = createHash('md5');
  for (let at = 0; at < size; at += 2 ** 20) hash.update(Buffer.alloc(2 ** 20));
  const [one] = await Promise.all(all);
  expect(one).toMatchObject({ size, md5: hash.digest('base64') });
});

test('a file that is gone or too short is told when its hashes are asked for, and others go on', async () => {
  await writeFile(path, 'short');
  const one = followers.follow(path, 5);
  expect(await one.content()).toMatchObject({ size: 5 });
  const gone = followers.follow(join(dir, 'gone'), 5);
  await gone.take([Buffer.from('!')], Promise.resolve());
  await expect(gone.content()).rejects.toThrow('ENOENT');
  await expect(followers.follow(path, 6).content()).rejects.toThrow('shorter than 6 bytes');
  await one.take([Buffer.from('er')], write(Buffer.from('er'), 5));
  expect(await one.content()).toMatchObject({ md5: md5(Buffer.from('shorter')) });
});

test('who waits for hashes when the cloud ends does not wait on', async () => {
  await file.truncate(80 * 2 ** 20);
  const hashing = followers.follow(path, 80 * 2 ** 20);
  const content = expect(hashing.content()).rejects.toThrow('closed');
  await followers.close();
  await content;
  await hashing.take([Buffer.alloc(100 * 2 ** 20)], Promise.resolve());
});

test('closed, they keep no process alive', async () => {
  await writeFile(path, 'short');
  const module = new URL('../../../../../deploy/local/cloud/storage/followers.ts', import.meta.url);
  const script = join(dir, 'script.mjs');
  await writeFile(
    script,
    `import { createFollowers } from '${module}';
     const followers = createFollowers();
     console.log((await followers.follow(${JSON.stringify(path)}, 5).content()).md5);
     await followers.close();`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 20_000 });
  expect(stdout.trim()).toBe(md5(Buffer.from('short')));
});
