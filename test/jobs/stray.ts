import { clientsOf, insert, machine } from '../deploy/local/cloud/compute/kit.ts';
import type { useLocalCloud } from '../localCloud.ts';

type Cloud = ReturnType<typeof useLocalCloud>;

export const ours = { 'gazeline-lab': 'eye-lab' };

/** A machine that bears the lab's label, made by nobody knows whom. */
export const stray = (
  cloud: Cloud,
  name: string,
  more: { labels?: object; zone?: string; autoDelete?: boolean } = {},
) => {
  const { labels = ours, zone = 'europe-west4-a', autoDelete = true } = more;
  const made = machine(name, undefined, { labels, machineType: `zones/${zone}/machineTypes/e2-standard-2` });
  const disks = made.disks.map((disk) => ({
    ...disk,
    autoDelete,
    initializeParams: { ...disk.initializeParams, labels },
  }));
  return insert(cloud, clientsOf(cloud), { ...made, disks }, { zone });
};
