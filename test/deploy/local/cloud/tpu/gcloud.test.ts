import { expect } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { testGcloud, useGcloud } from '../useGcloud.ts';
import { clientOf, isGone, nodeAt, queued, queuedAt, quick, setTpu, untilQueued, zone } from './kit.ts';

const cloud = useLocalCloud();
const used = useGcloud(cloud);

async function tpus(...args: string[]): Promise<string> {
  const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_TPU: `${cloud.origin}/` };
  return used.gcloud(['compute', 'tpus', ...args], env);
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
