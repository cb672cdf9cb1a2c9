import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openSessions, type Sessions } from './sessionKit.ts';

/*
 * The post-startup script, run by the local Workbench from where the real one fetches it, on a machine that is a process.
 */
const cloud = useLocalCloud();
let sessions: Sessions;
let code: string;
const git = (...args: string[]) =>
  execFileSync('git', [
    '-C',
    code,
    '-c',
    'user.name=Ada',
    '-c',
    'user.email=ada@lab.org',
    ...args,
  ]).toString();

beforeAll(async () => {
  sessions = await openSessions(cloud);
  code = join(await mkdtemp(join(tmpdir(), 'gazeline-code-')), 'analysis.git');
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', code]);
  await writeFile(join(code, 'look.ipynb'), '{}');
  git('add', '.');
  git('commit', '--quiet', '-m', 'First');
  git('checkout', '--quiet', '-b', 'pupils');
  await writeFile(join(code, 'pupils.txt'), 'on a branch');
  git('add', '.');
  git('commit', '--quiet', '-m', 'Second');
  git('checkout', '--quiet', 'main');
  const raw = sessions.storage.bucket('raw');
  const objects = { 'p01.tsv': 'one', 'deep/p02.tsv': 'two', '../../../escape.tsv': 'out', 'empty.tsv': '' };
  for (const [name, content] of Object.entries(objects))
    await raw.file(`recordings/${name}`).save(content, { preconditionOpts: { ifGenerationMatch: 0 } });
});
afterAll(() => rm(join(code, '..'), { recursive: true }));

const home = async (name: string) => {
  const { candidate } = await sessions.read(name);
  return join(cloud.dir, 'machines', candidate?.zone ?? '', `session-${name}`, 'jupyter');
};
/** What it has said so often that it is ready, or not. */
const log = async (name: string, times = 1) => {
  const file = join(await home(name), 'gazeline-session.log');
  return until(async () => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return (text.match(/\] (ready|not all is there)/g)?.length ?? 0) >= times ? text : undefined;
  });
};

test('the repository is cloned and the data lies where a job finds it; after a resume what is the person’s is theirs', async () => {
  await sessions.place('pupils', {
    repository: pathToFileURL(code).href,
    ref: 'pupils',
    data: 'raw/recordings/',
    regions: ['europe-west4'],
  });
  expect(await log('pupils')).toMatch(
    /clones file:.*analysis is at [0-9a-f]{7}.*data: 4 copied, 0 there already, 0 kept as they are, 0 failed.*ready/s,
  );
  const tree = join(await home('pupils'), 'analysis');
  const read = (name: string) => readFile(join(tree, name), 'utf8');
  expect(await read('pupils.txt')).toBe('on a branch');
  expect(await read('raw/recordings/p01.tsv')).toBe('one');
  expect(await read('raw/recordings/deep/p02.tsv')).toBe('two');
  expect(await read('raw/recordings/empty.tsv')).toBe('');
  // No name leads out of the folder.
  expect(await read('raw/recordings/%2E%2E/%2E%2E/%2E%2E/escape.tsv')).toBe('out');
  const status = () => execFileSync('git', ['-C', tree, 'status', '--porcelain', '--branch']).toString();
  expect(status()).toBe('## pupils...origin/pupils\n');

  await writeFile(join(tree, 'pupils.txt'), 'changed');
  await writeFile(join(tree, 'raw/recordings/p01.tsv'), 'corrected by hand');
  await rm(join(tree, 'raw/recordings/empty.tsv'));
  await sessions.storage
    .bucket('raw')
    .file('recordings/p03.tsv')
    .save('three', { preconditionOpts: { ifGenerationMatch: 0 } });
  await sessions.stop('pupils');
  await sessions.deliver();
  // The derived bucket may be emptied at any time.
  await sessions.storage.bucket('derived').deleteFiles({ force: true });
  await sessions.resume('pupils');
  await sessions.deliver();
  expect(await log('pupils', 2)).toMatch(
    /analysis is there, and is left as it is.*kept: 'raw\/recordings\/p01\.tsv' is another one.*data: 2 copied, 2 there already, 1 kept as they are, 0 failed/s,
  );
  expect(await read('pupils.txt')).toBe('changed');
  expect(await read('raw/recordings/p01.tsv')).toBe('corrected by hand');
  expect(await read('raw/recordings/p03.tsv')).toBe('three');
  expect(status()).toBe('## pupils...origin/pupils\n M pupils.txt\n');
});

test('a repository that is not there is said so, and the data comes all the same, through cuts and refusals', async () => {
  await setFaults(
    cloud,
    { service: 'storage', kind: 'status', status: 503, path: 'p02', times: 2 },
    { service: 'storage', kind: 'cut', path: 'p01', times: 1 },
  );
  await sessions.place('lost', {
    repository: pathToFileURL(join(code, '..', 'nowhere')).href,
    data: 'raw/recordings/',
    regions: ['europe-west4'],
  });
  expect(await log('lost')).toMatch(
    /repository exists.*It could not be cloned.*data: \d copied, 0 there already, 0 kept as they are, 0 failed.*not all is there/s,
  );
  expect(await readFile(join(await home('lost'), 'raw/recordings/deep/p02.tsv'), 'utf8')).toBe('two');
});

test('a data prefix without anything is no mistake, and a session without repository and data is ready at once', async () => {
  await sessions.place('empty', { data: 'raw/nothing/', regions: ['europe-west4'] });
  expect(await log('empty')).toMatch(/data: 0 copied.*ready/s);
  await sessions.place('bare', { regions: ['europe-west4'] });
  expect(await log('bare')).toMatch(/^\[gazeline [0-9:]{8}\] ready\n$/);
});

test('the link leads to a real Jupyter, or says what is missing', async () => {
  await sessions.place('linked', { regions: ['europe-west4'] });
  const { link = '' } = await sessions.read('linked');
  const answer = await until(async () => {
    const response = await fetch(link, { redirect: 'manual' });
    return response.status === 503 ? undefined : response;
  });
  const hasJupyter = answer.status === 302;
  if (hasJupyter) expect(await (await fetch(link)).text()).toContain('JupyterLab');
  else
    expect(await answer.text()).toMatch(/^There is no jupyter-lab on this computer.*pip install jupyterlab/);
  await sessions.stop('linked');
  await sessions.deliver();
  expect(await (await fetch(link)).text()).toBe('session-linked is STOPPED. Come again when it is ACTIVE.\n');
});
