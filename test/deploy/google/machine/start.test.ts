import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../../../shared/clients.ts';
import { forgetRequests, isUnconditionalWrite, requestsAt, setFaults } from '../../../kit.ts';
import { useLocalCloud } from '../../../localCloud.ts';
import { makeRepository, runMachine, script, startMachine } from './runMachine.ts';

const run = promisify(execFile);
const cloud = useLocalCloud();
let repository: { url: string; commit: string };

beforeAll(async () => {
  const storage = await clients.storage();
  for (const bucket of ['raw', 'derived']) await storage.createBucket(bucket);
  repository = await makeRepository({
    'train.py': `
import json, os, sys
print("arguments", json.dumps(sys.argv[1:]))
print("parameters", open(os.environ["GAZELINE_PARAMETERS"]).read())
print("variables", os.environ["rate"], os.environ["layers"], os.environ["GAZELINE_JOB"], os.environ["GAZELINE_ATTEMPT"])
os.makedirs("out/deep", exist_ok=True)
open("out/deep/model.bin", "wb").write(bytes(range(256)))
open("out/empty", "w")
`,
  });
});
afterEach(() => setFaults(cloud));

/** A command is the shortest job. */
const command = (job: string, target: string, more: Record<string, string> = {}) => ({
  cloud,
  attributes: {
    'gazeline-job': job,
    'gazeline-repository': repository.url,
    'gazeline-commit': repository.commit,
    'gazeline-run': 'command',
    'gazeline-target': target,
    'gazeline-results': 'out',
    ...more,
  },
});
const md5 = (content: string | Buffer) => createHash('md5').update(content).digest('base64');

test('a script runs at its commit with its arguments and parameters, and its results are in the bucket', async () => {
  await forgetRequests(cloud);
  const { last, objects, log, reports, work } = await runMachine({
    cloud,
    attributes: {
      'gazeline-job': 'script',
      'gazeline-repository': repository.url,
      'gazeline-commit': repository.commit,
      'gazeline-run': 'script',
      'gazeline-target': 'train.py',
      'gazeline-arguments': '--name\na b  "c" $(id)\n',
      'gazeline-parameters': '{"rate": 0.1, "layers": [1, 2], "PATH": "/nowhere"}',
      'gazeline-results': 'out',
    },
  });
  expect(reports.map(({ phase }) => phase).filter((phase, at, all) => phase !== all[at - 1])).toEqual([
    'starting',
    'fetching',
    'installing',
    'copying-inputs',
    'running',
    'uploading',
    'finished',
  ]);
  expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, at) => at + 1));
  expect(last).toMatchObject({
    job: 'script',
    attempt: 1,
    outcome: 'succeeded',
    exitCode: 0,
    commit: repository.commit,
    results: { files: 2, bytes: 256 },
  });
  expect(reports.filter(({ outcome }) => outcome)).toEqual([last]);
  expect(last?.freeDisk).toBeGreaterThan(1e6);
  expect(last?.lastLines).toContain('exit code 0');
  expect(log).toContain('arguments ["--name", "a b  \\"c\\" $(id)"]\n');
  expect(log).toContain('variables 0.1 [1, 2] script 1\n');
  expect(JSON.parse(objects.get('results/manifest.json') ?? '')).toEqual({
    attempt: 1,
    commit: repository.commit,
    files: [
      {
        path: 'deep/model.bin',
        size: 256,
        md5: md5(Buffer.from(Array.from({ length: 256 }, (_, at) => at))),
      },
      { path: 'empty', size: 0, md5: md5('') },
    ],
  });
  expect(objects.get('results/empty')).toBe('');
  // It would power itself off.
  await stat(join(work, 'off'));
  // Its state lies in memory, and is gone.
  expect((await readdir(work)).sort()).toEqual(
    ['executed', 'finished-script-1', 'log.txt', 'off', 'parameters.json', 'tree'].sort(),
  );
  expect((await requestsAt(cloud, 'storage')).filter(isUnconditionalWrite)).toEqual([]);
});

test('an access token is in no report, no log, no environment and no command line', async () => {
  const spy =
    'env; for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr "\\0" " " <$file; echo; done; true';
  const { objects, last, serialPort } = await runMachine(command('token', spy));
  expect(last?.outcome).toBe('succeeded');
  expect(objects.size).toBeGreaterThan(5);
  expect([...objects.values(), serialPort].join('\n')).not.toMatch(/local\.[\w-]{32}|Bearer/);
});

test('a password in the address of the repository is in no report and no log', async () => {
  const { objects, last, serialPort } = await runMachine(
    command('password', 'true', {
      'gazeline-repository': 'http://x-access-token:s3cr3t@127.0.0.1:1/lab.git',
      'gazeline-retry-seconds': '1',
    }),
  );
  expect(last?.outcome).toBe('setup-failed');
  expect(last?.reason).toContain('http://***@127.0.0.1:1/lab.git');
  expect([...objects.values(), serialPort].join('\n')).not.toContain('s3cr3t');
});

test('the machine waits for a network that is not there at first', async () => {
  const { last } = await runMachine({ ...command('network', 'echo there'), networkAfter: 1500 });
  expect(last).toMatchObject({ outcome: 'succeeded' });
});

test('a ref that is not there ends the job with the words of git, and with what to do', async () => {
  const { last, reports } = await runMachine(
    command('wrong-ref', 'true', { 'gazeline-commit': '', 'gazeline-ref': 'no-such-branch' }),
  );
  expect(last).toMatchObject({ phase: 'finished', outcome: 'setup-failed' });
  expect(last?.reason).toMatch(/has no no-such-branch .*git says: fatal: .*no-such-branch.* Is it pushed\?/);
  expect(reports.some(({ phase }) => phase === 'running')).toBe(false);

  const gone = await runMachine(
    command('wrong-commit', 'true', { 'gazeline-commit': '0123456789'.repeat(4) }),
  );
  expect(gone.last).toMatchObject({ outcome: 'setup-failed' });
  expect(gone.last?.reason).toMatch(/git says: .*0123456789/);
});

test('a branch, or the beginning of a commit, is resolved by the machine and reported', async () => {
  for (const ref of ['main', repository.commit.slice(0, 9)]) {
    const job = `ref-${ref}`;
    const { last } = await runMachine(command(job, 'true', { 'gazeline-commit': '', 'gazeline-ref': ref }));
    expect(last).toMatchObject({ outcome: 'succeeded', commit: repository.commit });
  }
});

test('a script that is not in the repository is said before anything is copied', async () => {
  const more = { 'gazeline-run': 'script', 'gazeline-inputs': 'raw\tnothing/\tdata' };
  const { last } = await runMachine(command('no-script', 'no.py', more));
  expect(last).toMatchObject({ outcome: 'setup-failed' });
  expect(last?.reason).toContain('has no file no.py');
});

test.each([
  ['137', 'kill -9 $$', /Exit code 137\. It was killed \(SIGKILL\), most likely because memory ran out/],
  ['127', 'no-such-command', /Exit code 127\. A command or file was not found/],
  ['126', '/etc/hosts', /Exit code 126\. The command was found but cannot be run/],
  ['3', 'exit 3', /Exit code 3\. The last lines of its log say more/],
  ['1', 'cat /etc/hosts >/dev/full', /Exit code 1\. The disk is full/],
])('exit code %s is explained in words', async (code, target, words) => {
  const { last } = await runMachine(command(`exit-${code}`, target));
  expect(last).toMatchObject({ outcome: 'failed', exitCode: Number(code) });
  expect(last?.reason).toMatch(words);
});

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
  const target = `cd data && find . -type f | sort && mkdir ../out && cp -r . ../out/ && printf x >../out/$'line\\nbreak' && ln -s / ../out/root && mkfifo ../out/pipe`;
  const { last, log, objects, work } = await runMachine(
    command('names', target, {
      'gazeline-inputs': 'raw\tnames/\tdata',
      'gazeline-results': 'out',
      'gazeline-parameters': JSON.stringify({
        "a'b$(touch owned)": '`touch owned`\n"\'',
        text: 'a\n"b" $HOME',
      }),
    }),
  );
  expect(log).not.toContain('No such file');
  expect(last).toMatchObject({ outcome: 'succeeded', results: { files: names.length + 1 } });
  const shown = names.map((name) => name.replace('../../', '%2E%2E/%2E%2E/'));
  for (const [at, name] of shown.entries())
    expect([name, objects.get(`results/${name}`)]).toEqual([name, `content of ${names[at]}`]);
  expect(objects.get('results/line%0Abreak')).toBe('x');
  expect(await readdir(join(work, 'tree'))).toEqual(expect.not.arrayContaining(['owned']));
});

test('hundreds of inputs over several pages come whole, also if connections break', async () => {
  const raw = (await clients.storage()).bucket('raw');
  const content = (at: number) => `${at} `.repeat(2000);
  for (let at = 0; at < 40; at++) await raw.file(`many/${at}.txt`).save(content(at), { resumable: false });
  await setFaults(
    cloud,
    { service: 'storage', kind: 'cutAfter', method: 'GET', path: '/raw/o/many', bytes: 1000, times: 5 },
    { service: 'storage', kind: 'status', status: 503, method: 'GET', path: '/raw/o', times: 5 },
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

test('the log comes in pieces while the job runs, and its end is not lost', async () => {
  const lines =
    'for i in $(seq 1 60000); do echo "line $i of a long log that has to be cut into pieces"; done';
  const { log, objects } = await runMachine(command('log', `${lines}; sleep 1.5; printf 'the end'`));
  const pieces = [...objects].filter(([name]) => name.includes('/log/'));
  expect(pieces.length).toBeGreaterThan(3);
  expect(Math.max(...pieces.map(([, piece]) => piece.length))).toBeLessThanOrEqual(1_000_000);
  const written = log.split('\n').filter((line) => line.startsWith('line '));
  expect(written).toEqual(
    Array.from({ length: 60000 }, (_, at) => `line ${at + 1} of a long log that has to be cut into pieces`),
  );
  expect(log).toMatch(/the end\[gazeline .*exit code 0\n/);
});

test('a storage that fails every third time costs neither a report nor a line', async () => {
  await setFaults(
    cloud,
    { service: 'storage', kind: 'status', status: 503, probability: 0.15, path: '/derived/o' },
    { service: 'storage', kind: 'lostAnswer', probability: 0.15, path: '/derived/o' },
  );
  const { last, log, reports, objects } = await runMachine(
    command('shaky', 'for i in 1 2 3; do echo "line $i"; sleep 1; done; seq 1 100000 >out/numbers', {
      'gazeline-retry-seconds': '60',
    }),
  );
  expect(last).toMatchObject({ phase: 'finished', outcome: 'succeeded' });
  expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, at) => at + 1));
  expect(log.match(/line \d/g)).toEqual(['line 1', 'line 2', 'line 3']);
  expect(objects.get('results/numbers')).toHaveLength(588895);
});

test('a job ends as it would, though no report and no log can be written while it runs', async () => {
  await setFaults(cloud, {
    service: 'storage',
    kind: 'status',
    status: 403,
    path: '/o/jobs/mute/attempts',
    times: 8,
  });
  const { last, objects } = await runMachine(command('mute', 'echo done >out/done'));
  expect(last).toMatchObject({ phase: 'finished', outcome: 'succeeded' });
  expect(objects.get('results/done')).toBe('done\n');
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
      'gazeline-rescue-seconds': '4',
    }),
  );
  await machine.reported(({ phase, reason }) => phase === 'uploading' && reason !== undefined);
  await setFaults(cloud);
  const { last, objects } = await machine.left();
  expect(last).toMatchObject({ phase: 'finished', outcome: 'succeeded' });
  expect(objects.get('results/table.csv')).toBe('precious\n');
});

/** Counts up from its checkpoint, a step every 0.2 s. */
const counter = `
mkdir -p "$GAZELINE_CHECKPOINTS/deep dir"
step=$(cat "$GAZELINE_CHECKPOINTS/deep dir/step" 2>/dev/null || echo 0)
echo "begins at $step"
trap 'echo "told to end"; echo $step >"$GAZELINE_CHECKPOINTS/deep dir/step"; echo yes >"$GAZELINE_CHECKPOINTS/told"; exit 1' TERM
while [ $step -lt 15 ]; do
  sleep 0.2 & wait $!
  step=$((step + 1)); echo $step >"$GAZELINE_CHECKPOINTS/deep dir/step"
  echo "step $step"
done
echo "$step steps" >out/steps`;

test('a machine that is taken back saves its checkpoint, and the next attempt goes on from there', async () => {
  const more = { 'gazeline-checkpoints': 'checkpoints', 'gazeline-checkpoint-seconds': '300' };
  const first = await startMachine(command('preempted', counter, more));
  await first.logged('step 4');
  const began = Date.now();
  first.metadata.preempted = true;
  first.changed();
  const end = await first.left();
  expect(Date.now() - began).toBeLessThan(15_000);
  expect(end.last).toMatchObject({ phase: 'finished', outcome: 'preempted', checkpoint: expect.any(String) });
  expect(end.log).toContain('told to end');
  expect(end.objects.get('checkpoints/told')).toBe('yes\n');
  const reached = end.objects.get('checkpoints/deep dir/step')?.trim();
  expect(Number(reached)).toBeGreaterThanOrEqual(4);
  expect([...end.objects.keys()].filter((name) => name.startsWith('results/'))).toEqual([]);

  const second = await runMachine(command('preempted', counter, { ...more, 'gazeline-attempt': '2' }));
  expect(second.last).toMatchObject({ attempt: 2, outcome: 'succeeded' });
  expect(second.log).toContain(`begins at ${reached}\n`);
  expect(second.objects.get('results/steps')).toBe('15 steps\n');
});

test('a machine that is stopped from outside, and was not taken back, reports that it was cancelled', async () => {
  const machine = await startMachine(command('stopped', 'echo begun; sleep 60'));
  await machine.logged('begun');
  machine.signal('SIGTERM');
  const { last } = await machine.left();
  expect(last).toMatchObject({ phase: 'finished', outcome: 'cancelled' });
});

test('checkpoints are saved while the job runs: only what changed, nothing half, and what is rotated away goes', async () => {
  await forgetRequests(cloud);
  const target = `
cd "$GAZELINE_CHECKPOINTS"; echo fixed >fixed; echo 1 >step-1; sleep 3
echo 2 >step-2; rm step-1; (for i in 1 2 3 4 5 6; do printf "part $i,"; sleep 0.5; done >growing); echo written; sleep 3; echo over`;
  const machine = await startMachine(
    command('saved', target, { 'gazeline-checkpoints': 'c', 'gazeline-checkpoint-seconds': '1' }),
  );
  const seen = new Set<string | undefined>();
  for (let ended = false; !ended; ) {
    seen.add((await machine.objects()).get('checkpoints/growing'));
    ended = await Promise.race([
      machine.ended.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, 100, false)),
    ]);
  }
  const { last, objects } = await machine.left();
  expect(last).toMatchObject({ outcome: 'succeeded', checkpoint: expect.any(String) });
  const whole = 'part 1,part 2,part 3,part 4,part 5,part 6,';
  expect([...seen]).toEqual([undefined, whole]);
  expect([...objects.keys()].filter((name) => name.startsWith('checkpoints/'))).toEqual([
    'checkpoints/fixed',
    'checkpoints/growing',
    'checkpoints/step-2',
  ]);
  const uploads = (await requestsAt(cloud, 'storage')).filter(({ url }) =>
    /name=jobs%2Fsaved%2Fcheckpoints%2Ffixed/.test(url),
  );
  expect(uploads.filter(({ url }) => !url.includes('upload_id'))).toHaveLength(1);
});

test('an attempt that lives longer than it should does not write over the checkpoint of a later one', async () => {
  const more = { 'gazeline-checkpoints': 'c', 'gazeline-checkpoint-seconds': '1' };
  const old = await startMachine(
    command('twice', 'echo old >c/step; echo begun; sleep 4; echo older >c/step; sleep 3', more),
  );
  await old.logged('begun');
  await runMachine(command('twice', 'echo new >c/step; exit 1', { ...more, 'gazeline-attempt': '2' }));
  const { objects } = await old.left();
  expect(objects.get('checkpoints/step')).toBe('new\n');
});

test('an attempt that has ended does not run again when its machine is started again', async () => {
  const first = await runMachine(command('again', 'echo ran >>out/ran'));
  const work = first.work;
  const second = await runMachine({
    ...command('again', 'echo ran >>out/ran'),
    environment: { GAZELINE_WORK: work },
  });
  expect(second.serialPort).toContain('does not run twice');
  expect(second.reports).toEqual(first.reports);
});

test('requirements are installed into an environment that sees what the image has', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gazeline-package-'));
  await writeFile(join(dir, 'pyproject.toml'), '[project]\nname = "nothing"\nversion = "1"\n');
  const { url, commit } = await makeRepository({ 'bad.txt': './no-such-package\n' });
  const { last } = await runMachine(
    command('requirements', 'true', {
      'gazeline-repository': url,
      'gazeline-commit': commit,
      'gazeline-environment': 'pip',
      'gazeline-requirements': 'bad.txt',
    }),
  );
  expect(last).toMatchObject({ outcome: 'setup-failed' });
  expect(last?.reason).toMatch(/pip could not install -r bad\.txt: .*no-such-package/s);
});

test('metadata can carry the script', async () => {
  expect((await stat(script)).size).toBeLessThan(256 * 1024);
});

const missing = (() => {
  try {
    execFileSync('shellcheck', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    console.warn('shellcheck is not installed: the start-up script is not checked by it.');
    return true;
  }
})();

(missing ? test.skip : test)('shellcheck finds nothing in the script', async () => {
  expect((await run('shellcheck', [script])).stdout).toBe('');
});
