import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { useSync } from '../sync/useSync.ts';
import { gazeline } from './gazeline.ts';

const used = useSync();
const form = 'application/vnd.google-apps.form';
const status = (...args: string[]) => gazeline(['sync', 'status', ...args]);

test('status tells of runs, skipped files, large files under way and names that clash', async () => {
  await used.sync.file(used.here, 'a.txt', 'first');
  const twin = await used.sync.file(used.here, 'a.txt', 'second');
  await used.sync.create({ name: 'form', parents: [used.here], mimeType: form });
  await used.sync.settle();
  await used.sync.file(used.here, 'film.bin', randomBytes(1024 * 1024));
  used.sync.dependencies.deadline = 0;
  await used.sync.drain();
  // The time is over after the first of four slices.
  const delivery = used.sync.queue.splice(0).find(({ topic }) => topic === 'file-changed');
  await used.sync.handle(delivery as never);

  const { code, out } = await status();
  expect(code).toBe(0);
  expect(out).toMatch(/^✓ The sync works\.\n/);
  expect(out).toMatch(/\n {2}changes +read from Drive /);
  expect(out).toMatch(/\n {2}push +none; changes are found every five minutes\n/);
  expect(out).toMatch(/\n {2}comparison +the last began .*: \d+ files looked at/);
  expect(out).toMatch(/\n {2}under way +test 0\/film\.bin {2}262 kB of 1\.05 MB, 25 %\n/);
  expect(out).toMatch(
    /\n {2}\S+ .* +changes +2 synced, 1 skipped; 11 B; \d+ quota units; .* from change to object/,
  );
  expect(out).toMatch(/\n {6}1 × a form is not exported\n/);
  expect(out).toMatch(/\n1 file is skipped\n {2}test 0\/form {2}a form is not exported\n/);
  expect(out).toMatch(`the id in the name\n  test 0/a~${twin}.txt`);

  const report = JSON.parse((await status('--json', '--runs', '1')).out);
  expect(report).toMatchObject({
    healthy: true,
    troubles: [],
    transfers: [{ name: 'test 0/film.bin', bytes: 256 * 1024, of: 1024 * 1024 }],
    skipped: [{ path: ['test 0', 'form'], reason: 'a form is not exported' }],
    clashes: [`test 0/a~${twin}.txt`],
  });
  expect(report.runs).toHaveLength(1);
  used.sync.queue.length = 0;
});

test('status says in words when the sync needs somebody, with the exit code 1', async () => {
  const { records } = used.sync.dependencies;
  const old = new Date(Date.now() - 3 * 3_600_000).toISOString();
  const feed = await records.read('drive/feed.json', z.record(z.string(), z.string()));
  const before = feed?.generation ?? '0';
  const generation = await records.write('drive/feed.json', { ...feed?.value, drainedAt: old }, before);
  await records.update('drive/reconcile.json', z.looseObject({}), (progress) => ({
    ...progress,
    until: old,
    places: [{ path: [], folders: ['here'] }],
  }));
  const { code, out } = await gazeline(['sync', 'status'], {
    env: { GAZELINE_WEBHOOK_URL: 'http://127.0.0.1:1/', GAZELINE_CHANNEL_SECRET: 'a secret of some length' },
  });
  expect(code).toBe(1);
  expect(out).toMatch(/^✗ The sync needs somebody:\n {2}the change feed is not being read, .*\n/);
  expect(out).toMatch(/\n {2}Drive does not tell us of changes \(there is no push channel\)/);
  expect(out).toMatch(/\n {2}a comparison of the tree has stopped half-way; npx gazeline sync now/);
  expect(out).toMatch(/\n {2}changes +read from Drive 3 hours ago\n/);
  await records.remove('drive/feed.json', generation);
  expect((await status()).out).toMatch(/\n {2}it has not begun: nobody has read the change feed yet\n/);
});
