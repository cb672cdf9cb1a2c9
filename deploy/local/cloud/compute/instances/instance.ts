import type { InstanceBody } from './body.ts';

export type Status = 'PROVISIONING' | 'STAGING' | 'RUNNING' | 'STOPPING' | 'TERMINATED';

/** An instance as it is stored. */
export type Instance = {
  id: string;
  name: string;
  zone: string;
  status: Status;
  /** As it was asked for, with labels and metadata as they are now. */
  body: InstanceBody;
  machineType: string;
  /** Attached and built-in ones. */
  accelerators: { type: string; count: number }[];
  disks: InstanceDisk[];
  localSsds: number;
  ip: string;
  created: string;
  lastStart?: string;
  lastStop?: string;
  /** When it is ended by its own `maxRunDuration` or `terminationTime`. */
  terminationTime?: string;
  /** It is being deleted. */
  isLeaving?: boolean;
};

export type InstanceDisk = { name: string; sizeGb: number; boot: boolean; autoDelete: boolean };

export const isSpot = ({ body: { scheduling } }: Instance): boolean =>
  scheduling.provisioningModel === 'SPOT' || scheduling.preemptible === true;

export const provisioningModel = (instance: Instance): 'SPOT' | 'STANDARD' =>
  isSpot(instance) ? 'SPOT' : 'STANDARD';

/** It needs resources of the zone, and counts against quotas. */
export const isUp = ({ status }: Instance): boolean => status !== 'TERMINATED';

export const metadataOf = ({ body }: Instance): Record<string, string> =>
  Object.fromEntries((body.metadata?.items ?? []).map(({ key, value }) => [key, value ?? '']));
