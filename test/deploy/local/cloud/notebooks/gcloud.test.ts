import { expect } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { quick, setCompute } from '../compute/kit.ts';
import { testGcloud, useGcloud } from '../useGcloud.ts';
import { zone } from './kit.ts';

const cloud = useLocalCloud();
const used = useGcloud(cloud);

async function workbench(verb: string, ...args: string[]): Promise<string> {
  const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_NOTEBOOKS: `${cloud.origin}/` };
  const all = ['workbench', 'instances', verb, ...args, `--location=${zone}`];
  return used.gcloud(all, env);
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
