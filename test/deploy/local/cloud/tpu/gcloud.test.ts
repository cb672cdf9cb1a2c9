import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { clientOf, isGone, nodeAt, queued, queuedAt, quick, setTpu, untilQueued, zone } from './kit.ts';

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

async function tpus(...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: dir,
    CLOUDSDK_CONFIG: join(dir, 'config'),
    CLOUDSDK_CORE_PROJECT: cloud.project,
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_AUTH_ACCESS_TOKEN: 'fake',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_TPU: `${cloud.origin}/`,
  };
  return (await run('gcloud', ['compute', 'tpus', ...args], { env, timeout: 60_000 })).stdout;
}

testGcloud(
  'gcloud compute tpus lists, describes and deletes nodes and queued resources',
  async () => {
    await setTpu(cloud, quick);
    const client = clientOf(cloud);
    await client.queuedResources.create(queued(cloud, 'by-gcloud', 'sleep 60', { spot: {} }));
    await untilQueued(cloud, client, 'by-gcloud', 'ACTIVE');
    const [nodes, resources, described] = await Promise.all([
      tpus('tpu-vm', 'list', '--zone=-'),
      tpus('queued-resources', 'list', `--zone=${zone}`),
      tpus('queued-resources', 'describe', 'by-gcloud', `--zone=${zone}`, '--format=json'),
    ]);
    expect(nodes).toMatch(/^by-gcloud +us-west4-a +v5litepod-4 .*READY/m);
    expect(resources).toMatch(/^by-gcloud +us-west4-a .*ACTIVE/m);
    expect(JSON.parse(described)).toMatchObject({ spot: {}, state: { state: 'ACTIVE' } });
    await tpus('queued-resources', 'delete', 'by-gcloud', `--zone=${zone}`, '--force', '--quiet');
    expect(await isGone(client.queuedResources.get(queuedAt(cloud, 'by-gcloud')))).toBe(true);
    expect(await isGone(client.nodes.get(nodeAt(cloud, 'by-gcloud')))).toBe(true);
  },
  120_000,
);
