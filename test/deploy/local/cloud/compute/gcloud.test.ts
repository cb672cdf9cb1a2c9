import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { clientsOf, insert, machine, quick, setCompute, zone } from './kit.ts';

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

async function instances(...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    CLOUDSDK_CONFIG: join(dir, 'config'),
    CLOUDSDK_CORE_PROJECT: cloud.project,
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_AUTH_ACCESS_TOKEN: 'fake',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${cloud.origin}/compute/v1/`,
  };
  return (await run('gcloud', ['compute', 'instances', ...args], { env, timeout: 60_000 })).stdout;
}

testGcloud(
  'gcloud compute lists, describes, reads the serial port of, and deletes machines',
  async () => {
    await setCompute(cloud, quick);
    const clients = clientsOf(cloud);
    const labels = { 'gazeline-lab': 'eyes' };
    await insert(cloud, clients, machine('by-gcloud', 'echo hello', { labels }));
    await insert(cloud, clients, machine('other', ''));
    await insert(cloud, clients, machine('another', ''));

    const [list, filtered, described, serial] = await Promise.all([
      instances('list'),
      instances('list', '--filter=labels.gazeline-lab=eyes', '--format=value(name,status,zone)'),
      instances('describe', 'by-gcloud', `--zone=${zone}`, '--format=json'),
      instances('get-serial-port-output', 'by-gcloud', `--zone=${zone}`),
    ]);
    expect(list).toMatch(/^by-gcloud +europe-west4-a +e2-standard-2 .*10\.128\.\d+\.\d+ +RUNNING/m);
    expect(filtered.trim()).toBe(`by-gcloud\tRUNNING\t${zone}`);
    expect(JSON.parse(described)).toMatchObject({ name: 'by-gcloud', status: 'RUNNING', labels });
    expect(serial).toContain('startup-script: hello');

    // Of two, it makes a batch of requests.
    await instances('delete', 'by-gcloud', 'other', `--zone=${zone}`, '--quiet');
    expect((await instances('list', '--format=value(name)')).trim()).toBe('another');
  },
  90_000,
);
