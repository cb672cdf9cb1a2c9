import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, jest, test } from '@jest/globals';
import { forgetRequests, isUnconditionalWrite, requestsAt, setFaults } from '../../../kit.ts';
import { makeRepository, runMachine, script, startMachine, useMachines } from './runMachine.ts';

const run = promisify(execFile);
// A machine takes two or three seconds, where processors are free.
jest.setTimeout(120_000);
const { cloud, repository, command } = useMachines({
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
afterEach(() => setFaults(cloud));
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
  ['126', './train.py', /Exit code 126\. The command was found but cannot be run/],
  ['1', 'cat /etc/hosts >/dev/full', /Exit code 1\. The disk is full/],
])('exit code %s is explained in words', async (code, target, words) => {
  const { last } = await runMachine(command(`exit-${code}`, target));
  expect(last).toMatchObject({ outcome: 'failed', exitCode: Number(code) });
  expect(last?.reason).toMatch(words);
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
  const machine = await startMachine(
    command('shaky', 'for i in 1 2 3; do echo "line $i"; sleep 1; done; seq 1 100000 >out/numbers', {
      'gazeline-retry-seconds': '60',
    }),
  );
  await machine.ended;
  await setFaults(cloud);
  const { last, log, reports, objects } = await machine.left();
  expect(last).toMatchObject({ phase: 'finished', outcome: 'succeeded' });
  expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, at) => at + 1));
  expect(log.match(/^line \d/gm)).toEqual(['line 1', 'line 2', 'line 3']);
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

test('requirements that cannot be installed end the job with the words of pip', async () => {
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
