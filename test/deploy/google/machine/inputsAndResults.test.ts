import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { clients } from '../../../../shared/clients.ts';
import { forgetRequests, requestsAt, setFaults } from '../../../kit.ts';
import { runMachine, startMachine, useMachines } from './runMachine.ts';

// A machine takes two or three seconds, where processors are free.
jest.setTimeout(120_000);
const { cloud, command } = useMachines();
afterEach(() => setFaults(cloud));

test('what a command that failed had written is kept apart from results', async () => {
  const { last, objects } = await runMachine(command('half', 'echo half >out/table.csv; exit 1'));
  expect(last?.reason).toContain('gs://derived/jobs/half/unsaved/1/');
  expect(objects.get('unsaved/1/table.csv')).toBe('half\n');
  expect([...objects.keys()].filter((name) => name.startsWith('results/'))).toEqual([]);
});

test('names with spaces, quotes, percent and dollar signs, dots and other scripts come in and go out as they are', async () => {
  const raw = (await clients.storage()).bucket('raw');
  const names = [
    'plain.tsv',
    `it's "quoted" $(touch owned) \`id\`.tsv`,
    '%2e%2e%2F a+b&c=d#e?f.tsv',
    'Größe/日本/👁.tsv',
    '-rf [x]{y}*.tsv',
    '\\back\\slash\t.tsv',
    '../../escaped.tsv',
  ];
  for (const name of names) await raw.file(`names/${name}`).save(`content of ${name}`, { resumable: false });
  const target = `cd data && find . -type f | sort && cp -r . ../out/ && printf x >../out/$'line\\nbreak' && ln -s / ../out/root && mkfifo ../out/pipe`;
  const { last, objects, work } = await runMachine(
    command('names', target, {
      'gazeline-inputs': 'raw\tnames/\tdata',
      'gazeline-results': 'out',
      'gazeline-parameters': JSON.stringify({
        "a'b$(touch owned)": '`touch owned`\n"\'',
        text: 'a\n"b" $HOME',
      }),
    }),
  );
  expect(last).toMatchObject({ outcome: 'succeeded', results: { files: names.length + 1 } });
  const shown = names.map((name) => name.replace('../../', '%2E%2E/%2E%2E/'));
  for (const [at, name] of shown.entries())
    expect([name, objects.get(`results/${name}`)]).toEqual([name, `content of ${names[at]}`]);
  expect(objects.get('results/line%0Abreak')).toBe('x');
  expect(await readdir(join(work, 'tree'))).toEqual(expect.not.arrayContaining(['owned']));
});

test('an empty prefix is the whole bucket', async () => {
  const storage = await clients.storage();
  await storage.createBucket('whole');
  for (const name of ['a.tsv', 'deep/b.tsv'])
    await storage.bucket('whole').file(name).save(name, { resumable: false });
  const attributes = { 'gazeline-inputs': 'whole\t\tdata', 'gazeline-results': 'data' };
  const { last } = await runMachine(command('whole', 'true', attributes));
  expect(last).toMatchObject({ outcome: 'succeeded', results: { files: 2 } });
});

test('an input that is stored gzipped arrives unpacked', async () => {
  const file = (await clients.storage()).bucket('raw').file('gzipped/table.csv');
  await file.save('a,b\n'.repeat(1000), { gzip: true, resumable: false });
  const { log } = await runMachine(
    command('gzipped', 'head -n 1 data/table.csv; wc -l <data/table.csv', {
      'gazeline-inputs': 'raw\tgzipped/\tdata',
    }),
  );
  expect(log).toContain('\na,b\n1000\n');
});

test('inputs come whole, also if connections break', async () => {
  const raw = (await clients.storage()).bucket('raw');
  const content = (at: number) => `${at} `.repeat(2000);
  for (let at = 0; at < 40; at++) await raw.file(`many/${at}.txt`).save(content(at), { resumable: false });
  await setFaults(
    cloud,
    { service: 'storage', kind: 'cutAfter', method: 'GET', path: '/raw/o/many', bytes: 1000, times: 5 },
    { service: 'storage', kind: 'status', status: 503, method: 'GET', path: '/raw/o', times: 2 },
  );
  const { last, log } = await runMachine(
    command('many', 'cat data/*.txt | wc -c', { 'gazeline-inputs': 'raw\tmany/\tdata' }),
  );
  expect(last?.outcome).toBe('succeeded');
  const total = Array.from({ length: 40 }, (_, at) => content(at).length).reduce(
    (sum, size) => sum + size,
    0,
  );
  expect(log).toContain(`\n${total}\n`);
});

test('inputs that are not there, or larger than the disk, end the job before it runs', async () => {
  const missing = await runMachine(command('missing', 'true', { 'gazeline-inputs': 'raw\tno/such/\tdata' }));
  expect(missing.last).toMatchObject({
    outcome: 'inputs-failed',
    reason: 'Nothing lies below gs://raw/no/such/',
  });
  await (await clients.storage()).bucket('raw').file('large/a').save('a', { resumable: false });
  const large = await runMachine(
    command('large', 'true', {
      'gazeline-inputs': 'raw\tlarge/\tdata',
      'gazeline-spare-bytes': '9'.repeat(16),
    }),
  );
  expect(large.last).toMatchObject({ outcome: 'inputs-failed' });
  expect(large.last?.reason).toMatch(/need 1 bytes and 9+ are to stay free, but the disk has only \d+/);
});

test('a large result goes on where it was cut off, and begins again if its upload was forgotten', async () => {
  const path = '/o/jobs/cut/results/numbers';
  await forgetRequests(cloud);
  await setFaults(
    cloud,
    { service: 'storage', kind: 'shortAck', method: 'PUT', path, times: 2 },
    { service: 'storage', kind: 'expireSession', status: 404, path, times: 1 },
  );
  const { last, objects } = await runMachine(command('cut', 'seq 1 300000 >out/numbers'));
  expect(last?.outcome).toBe('succeeded');
  expect(objects.get('results/numbers')).toBe(
    Array.from({ length: 300000 }, (_, at) => `${at + 1}\n`).join(''),
  );
  const sent = (await requestsAt(cloud, 'storage')).filter(({ url }) => url.includes('results%2Fnumbers'));
  // The forgotten one; then twice: a part is kept, it asks how much, and sends the rest.
  expect(
    sent.filter(({ method }) => method !== 'GET').map(({ method, status }) => `${method} ${status}`),
  ).toEqual(['POST 200', 'PUT 404', 'POST 200', 'PUT 308', 'PUT 308', 'PUT 308', 'PUT 308', 'PUT 200']);
});

test('results that are refused go to the fall-back prefix, and the job says so', async () => {
  await setFaults(cloud, {
    service: 'storage',
    kind: 'status',
    status: 403,
    reason: 'forbidden',
    path: '/o/jobs/refused/results',
  });
  const { last, objects } = await runMachine(
    command('refused', 'echo precious >out/table.csv', { 'gazeline-retry-seconds': '1' }),
  );
  expect(last).toMatchObject({ phase: 'finished', outcome: 'results-not-uploaded', exitCode: 0 });
  expect(last?.reason).toMatch(/Cloud Storage answered 403: .*gs:\/\/derived\/jobs\/refused\/unsaved\/1\//);
  expect(objects.get('unsaved/1/table.csv')).toBe('precious\n');
  expect([...objects.keys()].filter((name) => name.startsWith('results/'))).toEqual([]);
});

test('results that nobody takes stay on the machine for a while, and it says how to fetch them', async () => {
  await setFaults(cloud, {
    service: 'storage',
    kind: 'status',
    status: 403,
    path: '/o/jobs/kept/(results|unsaved)',
  });
  const { last, reports, work } = await runMachine(
    command('kept', 'echo precious >out/table.csv', {
      'gazeline-retry-seconds': '1',
      'gazeline-rescue-seconds': '3',
    }),
  );
  expect(
    reports.filter(({ phase, reason }) => phase === 'uploading' && reason?.includes('gcloud compute scp')),
  ).not.toEqual([]);
  expect(last).toMatchObject({ phase: 'finished', outcome: 'results-not-uploaded' });
  expect(last?.reason).toMatch(/were kept for 3 seconds/);
  expect(await readFile(join(work, 'tree/out/table.csv'), 'utf8')).toBe('precious\n');
});

test('results that are taken after all, while the machine waits, are results', async () => {
  await setFaults(cloud, {
    service: 'storage',
    kind: 'status',
    status: 403,
    path: '/o/jobs/late/(results|unsaved)',
  });
  const machine = await startMachine(
    command('late', 'echo precious >out/table.csv', {
      'gazeline-retry-seconds': '1',
      'gazeline-rescue-seconds': '8',
    }),
  );
  await machine.reported(
    ({ phase, reason }) => phase === 'uploading' && !!reason?.includes('gcloud compute scp'),
  );
  await setFaults(cloud);
  const { last, objects } = await machine.left();
  expect(last).toMatchObject({ phase: 'finished', outcome: 'succeeded' });
  expect(objects.get('results/table.csv')).toBe('precious\n');
});

/** A disk of 4 MB, if whoever runs the tests may mount one. */
const smallDisk = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'gazeline-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    console.warn('Only root may mount a small disk: the test of a full one is skipped.');
    rmSync(folder, { recursive: true });
    return undefined;
  }
})();
afterAll(() => {
  if (!smallDisk) return;
  execFileSync('umount', [smallDisk]);
  rmSync(smallDisk, { recursive: true });
});

(smallDisk ? test : test.skip)(
  'a disk that is full ends the job, and neither its reports nor its reason',
  async () => {
    const { last, reports } = await runMachine({
      ...command('full', 'cat /dev/zero >out/zeros; echo not written; exit 1'),
      environment: { GAZELINE_WORK: smallDisk ?? '' },
    });
    expect(last).toMatchObject({ phase: 'finished', outcome: 'failed', exitCode: 1, freeDisk: 0 });
    expect(last?.reason).toContain('The disk is full');
    expect(reports.map(({ phase }) => phase)).toContain('uploading');
  },
);
