import { expect } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { testGcloud, useGcloud } from '../useGcloud.ts';
import { clientsOf, insert, machine, quick, setCompute, zone } from './kit.ts';

const cloud = useLocalCloud();
const used = useGcloud(cloud);

async function instances(...args: string[]): Promise<string> {
  const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${cloud.origin}/compute/v1/` };
  return used.gcloud(['compute', 'instances', ...args], env);
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
