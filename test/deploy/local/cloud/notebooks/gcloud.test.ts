import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { quick, setCompute } from '../compute/kit.ts';
import { zone } from './kit.ts';

const run = promisify(execFile);
const cloud = useLocalCloud();

const missing = (() => {
  try {
    execFileSync('gcloud', ['--version'], { stdio: 'ignore', timeout: 20_000 });
    return false;
  } catch {
    console.warn('gcloud is not installed, or does not start: its tests are skipped.');
    return true;
  }
})();
const testGcloud = missing ? test.skip : test;

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-gcloud-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function workbench(verb: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    CLOUDSDK_CONFIG: join(dir, 'config'),
    CLOUDSDK_CORE_PROJECT: cloud.project,
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_AUTH_ACCESS_TOKEN: 'fake',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_NOTEBOOKS: `${cloud.origin}/`,
  };
  const all = ['workbench', 'instances', verb, ...args, `--location=${zone}`];
  return (await run('gcloud', all, { env, timeout: 60_000 })).stdout;
}

testGcloud(
  'gcloud workbench makes, lists and stops an instance',
  async () => {
    await setCompute(cloud, quick);
    await workbench(
      'create',
      'notebook',
      '--machine-type=e2-standard-2',
      '--metadata=idle-timeout-seconds=3600',
    );
    const [list, described] = await Promise.all([
      workbench('list', '--format=value(name.basename(),state)'),
      workbench('describe', 'notebook', '--format=json'),
    ]);
    expect(list.trim()).toBe('notebook\tACTIVE');
    expect(JSON.parse(described)).toMatchObject({
      gceSetup: { machineType: 'e2-standard-2', metadata: { 'idle-timeout-seconds': '3600' } },
    });
    expect(JSON.parse(await workbench('stop', 'notebook', '--format=json'))).toMatchObject({
      state: 'STOPPED',
    });
  },
  90_000,
);
