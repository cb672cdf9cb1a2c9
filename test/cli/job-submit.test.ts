import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseJob } from '../../shared/jobs/parseJob.ts';
import { candidatesOf } from '../../shared/machines/candidates.ts';
import { block, cooldownRecord, noCooldown } from '../../shared/machines/cooldown.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { forgetRequests, requestsAt } from '../kit.ts';
import { useJobs } from './useJobs.ts';

const used = useJobs();
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-job-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const small =
  'name: Small\nrepository: https://github.com/lab/analysis\ncommand: make\naccelerators: cpu:2\n';
const submit = (text: string, ...args: string[]) => used.run(['submit', '-', ...args], { input: text });
const idsOf = async () => (await Array.fromAsync(used.records.list('jobs/'))).sort();
const asked = async () =>
  (await requestsAt(used.cloud, 'pubsub')).filter(({ url }) => url.endsWith('/job-requested:publish')).length;

test('submit says what a job may cost; where nobody can be asked, nothing is submitted without --yes', async () => {
  await forgetRequests(used.cloud);
  const { code, out, err } = await submit(small);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/^Small\nhttps:\/\/github\.com\/lab\/analysis at HEAD\n/);
  expect(err).toMatch(
    /\n\$0\.\d{4} an hour for cpu:2 \(e2-\S+, spot\) in \S+, .*: at most \$0\.\d{4} for 6 hours/,
  );
  expect(err).toMatch(
    /\nWithout a spot machine in 10 minutes, .*, on demand: \$0\.\d{4} an hour .*standard\)/,
  );
  expect(err).toMatch(
    /\nThe price table is of \d{4}-\d\d-\d\d, .* This is a local cloud: nothing is really paid\.\n/,
  );
  expect(err).toMatch(/\nThere is nobody to ask .* Say so with --yes\.\n$/);
  expect({ ids: await idsOf(), asked: await asked() }).toEqual({ ids: [], asked: 0 });
});

test('--yes submits it and asks for a machine; with the same key it is the same job, and another job is refused', async () => {
  await forgetRequests(used.cloud);
  const first = await submit(small, '--yes', '--json', '--key', 'monday');
  expect(first.code).toBe(0);
  const { id, ...said } = JSON.parse(first.out);
  expect(said).toMatchObject({
    key: 'monday',
    new: true,
    state: 'queued',
    estimate: { most: expect.any(Number) },
  });
  expect(await used.read(id)).toMatchObject({ state: 'queued', job: { name: 'Small', command: 'make' } });
  expect(await asked()).toBe(1);

  const [again, other, random] = await Promise.all([
    submit(small, '--yes', '--key', 'monday'),
    submit(small.replace('make', 'make all'), '--yes', '--key', 'monday'),
    submit(small, '--yes'),
  ]);
  expect(again).toMatchObject({
    code: 0,
    out: expect.stringContaining(`It was submitted before: ${id} (queued)`),
  });
  expect(other).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/the key of \S+ was used for another job/),
  });
  expect(random.err).toMatch(/\nKey: [0-9a-f-]{36}\n/);
  expect(random.out).toMatch(/^✓ Submitted: small-[0-9a-f]{8}\n/);
  expect((await idsOf()).length).toBe(2);
});

test('what is wrong with a job is told line by line, with the exit code 2', async () => {
  const { code, out, err } = await submit(
    'nmae: x\nrepository: https://h/r\nscript: ../a.py\naccelerators: L5\n',
    '--yes',
  );
  expect({ code, out }).toEqual({ code: 2, out: '' });
  const lines = err.trimEnd().split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^script: “\.\.\/a\.py”: expected a path in the repository/),
      expect.stringMatching(/^accelerators: “L5”: .* did you mean “L4”\?$/),
      'the job: there is no field “nmae”; did you mean “name”?',
    ]),
  );
  expect(lines).toHaveLength(4);
  const missing = await used.run(['submit', join(dir, 'none.yaml')]);
  expect(missing).toEqual({ code: 2, out: '', err: `There is no file ${join(dir, 'none.yaml')}.\n` });
});

test('several accelerators are a table; what is over the limit, sold out or of unknown price is said', async () => {
  const wanted = (accelerators: string, more: string) =>
    `{name: Many, repository: "https://h/r", command: make, accelerators: ${accelerators}, ${more}}`;
  const now = Date.now();
  const zones = candidatesOf(parseJob(wanted('T4', '')), ['spot'], priceTable());
  const failure = { kind: 'stock-out', scope: 'zone', words: 'sold out' } as const;
  const cooldown = zones.reduce((before, zone) => block(before, failure, zone, now), noCooldown);
  await used.records.write(cooldownRecord, cooldown, '0');

  const [table, unknown, dear] = await Promise.all([
    submit(wanted('[A100:2, T4, L4, cpu:4]', 'limits: {money: 9}')),
    submit(wanted('[H200:8, cpu:4]', 'spot: prefer')),
    submit(wanted('H100:8', 'limits: {money: 9}'), '--yes'),
  ]);
  await used.records.remove(cooldownRecord);
  expect(table.err).toMatch(
    /│ 1 │ A100:2 +│ a2-highgpu-2g +│ \S+ +│ spot +│ \$\S+ +│ \$\S+ +│ over the limit, never asked for/,
  );
  expect(table.err).toMatch(/│ 2 │ T4 .*│ sold out; not asked for until \d\d:\d\d/);
  expect(table.err).toMatch(/│ 3 │ L4 +│ g2-standard-8 +│ \S+ +│ spot +│ \$0\.\d+ +│ \$\d\.\d\d +│ +│/);
  expect(unknown.err).toMatch(/What H200:8 \(.*\) in \S+ costs is not known/);
  expect(unknown.err).toMatch(/│ 1 │ H200:8 .*│ spot +│ unknown +│ unknown +│/);
  expect(dear).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /It would be refused: it may cost more than its limit of \$9\.00\. .* It is not submitted\.\n$/,
    ),
  });
});

test('a folder becomes the address of the repository that it lies in; what is not committed is told', async () => {
  const repository = join(dir, 'my code');
  await mkdir(join(repository, 'jobs'), { recursive: true });
  const file = join(repository, 'jobs', 'train.job.yaml');
  await writeFile(file, 'name: Train\nrepository: ..\nscript: train.py\n');
  const refused = await used.run(['submit', file, '--yes']);
  expect(refused).toMatchObject({
    code: 2,
    err: expect.stringMatching(/my code is not a Git repository\. In it: git init/),
  });

  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args]).toString();
  git('init', '-q');
  const empty = await used.run(['submit', file, '--yes']);
  expect(empty).toMatchObject({
    code: 2,
    err: expect.stringMatching(/my code has no commit HEAD\. Is anything committed/),
  });
  git('add', '-A');
  git('-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', 'commit', '-qm', 'first');
  await writeFile(join(repository, 'new.py'), '');
  const { code, out, err } = await used.run(['submit', file, '--yes', '--json']);
  expect(code).toBe(0);
  expect(err).toContain(`(${git('rev-parse', 'HEAD').slice(0, 12)})`);
  expect(err).toContain('What is not committed there does not get to the machine (git status: 1).');
  const { id } = JSON.parse(out);
  expect((await used.read(id))?.job.repository).toBe(pathToFileURL(repository).href);
});

test('retry is the same work as a new job, once the old one is over', async () => {
  const old = await used.job(small.replace('Small', 'Again'));
  const early = await used.run(['retry', old.id, '--yes']);
  expect(early).toMatchObject({ code: 2, err: expect.stringContaining(`npx gazeline job cancel ${old.id}`) });
  await used.happens(old.id, { type: 'cancel', at: new Date().toISOString() });
  const { code, out } = await used.run(['retry', old.id.slice(0, 9), '--yes', '--json']);
  const { id } = JSON.parse(out);
  expect({ code, isNew: id !== old.id }).toEqual({ code: 0, isNew: true });
  expect(await used.read(id)).toMatchObject({ digest: old.digest, job: old.job, state: 'queued' });
});
