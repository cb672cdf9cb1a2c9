import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bytes, call } from './raw.ts';

let dir = '';
let kill: () => Promise<void> = async () => {};
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
});
afterEach(async () => {
  await kill();
  await rm(dir, { recursive: true });
});

async function start(): Promise<string> {
  const child = fork(join(import.meta.dirname, 'child.ts'), [dir], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const [{ origin }] = (await once(child, 'message')) as [{ origin: string }];
  return origin;
}

const md5 = (data: Buffer) => createHash('md5').update(data).digest('base64');
const blobs = () => readdir(join(dir, '.cloud', 'blobs', 'storage'));

test('a kill in the middle of uploads leaves whole objects only, and nothing that is of no use', async () => {
  const data = bytes(1_000_000);
  let origin = await start();
  await call('POST', `${origin}/storage/v1/b`, { json: { name: 'killed' } });
  const promised = new Set<string>();
  for (let round = 0; round < 3; round++) {
    let going = true;
    const worker = async (number: number) => {
      for (let count = 0; going; count++) {
        const name = `${round}-${number}-${count % 5}`;
        const url = `${origin}/upload/storage/v1/b/killed/o?uploadType=media&name=${name}`;
        const answer = await call('POST', url, { body: data.subarray(number) }).catch(() => undefined);
        if (answer?.status === 200) promised.add(name);
        if (answer === undefined) return;
      }
    };
    const before = promised.size;
    const workers = Array.from({ length: 6 }, (_, number) => worker(number));
    while (promised.size < before + 5) await new Promise((resolve) => setTimeout(resolve, 5));
    await kill();
    going = false;
    await Promise.all(workers);

    origin = await start();
    const { body } = await call('GET', `${origin}/storage/v1/b/killed/o`);
    const items: { name: string; size: string; md5Hash: string }[] = body.items ?? [];
    const names = items.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...promised]));
    for (const { name, size, md5Hash } of items) {
      const shown = await readFile(join(dir, 'buckets', 'killed', name));
      expect([name, String(shown.length), md5(shown)]).toEqual([name, size, md5Hash]);
    }
    expect((await readdir(join(dir, 'buckets', 'killed'))).toSorted()).toEqual(names.toSorted());
    // Each blob is some generation's, deleted ones included.
    const { body: old } = await call('GET', `${origin}/storage/v1/b/killed/o?softDeleted=true`);
    expect(await blobs()).toHaveLength(items.length + (old.items ?? []).length);
  }
});

test('a resumable upload goes on after a kill from what was safe', async () => {
  const data = bytes(12_000_000);
  let origin = await start();
  await call('POST', `${origin}/storage/v1/b`, { json: { name: 'killed' } });
  const url = `${origin}/upload/storage/v1/b/killed/o?uploadType=resumable&name=big`;
  const session = new URL((await call('POST', url)).headers.get('location') ?? '');
  const put = (range: string, body?: Buffer | ReadableStream) =>
    call('PUT', origin + session.pathname + session.search, {
      headers: { 'content-range': `bytes ${range}` },
      ...(body ? { body, duplex: 'half' } : {}),
    } as RequestInit);

  // 10 MB arrive, the rest never does.
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hanging = new ReadableStream({
    async start(controller) {
      controller.enqueue(data.subarray(0, 10_000_000));
      await held;
      controller.error(new Error('never'));
    },
  });
  const cut = put(`0-*/${data.length}`, hanging).catch(() => undefined);
  let received = 0;
  for (const deadline = Date.now() + 20_000; received === 0 && Date.now() < deadline; ) {
    const range = (await put('*/*')).headers.get('range');
    received = range ? Number(range.split('-')[1]) + 1 : 0;
  }
  await kill();
  release();
  await cut;

  origin = await start();
  const kept = Number((await put('*/*')).headers.get('range')?.split('-')[1]) + 1;
  expect(kept).toBeGreaterThanOrEqual(received);
  expect([kept > 0, kept % 262_144]).toEqual([true, 0]);
  const done = await put(`${kept}-${data.length - 1}/${data.length}`, data.subarray(kept));
  expect(done).toMatchObject({ status: 200, body: { size: String(data.length), md5Hash: md5(data) } });
}, 60_000);

test('the view is brought in line at the start, and what a person left there is not touched', async () => {
  let origin = await start();
  await call('POST', `${origin}/storage/v1/b`, { json: { name: 'viewed' } });
  const upload = `${origin}/upload/storage/v1/b/viewed/o?uploadType=media&name=`;
  for (const name of ['kept', 'folder/a', 'lost']) await call('POST', upload + name, { body: name });
  await kill();
  const shown = (...parts: string[]) => join(dir, 'buckets', 'viewed', ...parts);
  await rm(shown('lost'));
  await rm(shown('folder'), { recursive: true });
  await writeFile(shown('mine'), 'mine');
  const db = new DatabaseSync(join(dir, '.cloud', 'cloud.db'));
  db.exec(`DELETE FROM storage_generations WHERE name = 'kept'`);
  db.close();

  origin = await start();
  expect((await readdir(shown())).toSorted()).toEqual(['folder', 'lost', 'mine']);
  expect(await readFile(shown('folder', 'a'), 'utf8')).toBe('folder/a');
  expect((await lstat(shown('folder', 'a'))).nlink).toBe(2);
  expect(await blobs()).toHaveLength(2);
  expect(await call('GET', `${origin}/storage/v1/b/viewed/o/lost?alt=media`)).toMatchObject({ body: 'lost' });
});
