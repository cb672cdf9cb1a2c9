import { regionOf } from '../machines/candidates.ts';
import type { Disk, Machine, Seen } from '../machines/machines.ts';
import { priceOfDisk, priceOfHardware } from '../machines/prices.ts';
import type { PriceTable } from '../machines/priceTable.ts';
import type { Counted } from './costRecord.ts';

/** Something that costs by the hour, or did until it was stopped. */
export type Running = {
  /** Of one run: a machine that was stopped and started again is another one. */
  key: string;
  kind: Counted['kind'];
  zone: string;
  name: string;
  /** What it is, for a person: `g2-standard-8, spot`. */
  words: string;
  labels: Record<string, string>;
  /** US dollars by list price; missing if that is not known. */
  perHour?: number;
  from: string;
  /** Since when it costs nothing any more. */
  to?: string;
  /** When the service ends it by itself. */
  endsAt?: string;
  /** A disk that nothing uses. */
  isUnused?: true;
};

/** What of a look at all zones costs, or has cost lately. */
export const runningOf = (
  { machines, disks }: Pick<Seen, 'machines' | 'disks'>,
  prices: PriceTable,
): Running[] => [
  ...machines.flatMap((machine) => ofMachine(machine, prices)),
  ...disks.map((disk) => ofDisk(disk, machines, prices)),
];

/**
 * Without cost. A state that is not known costs, as those on the way up and down do for a few seconds.
 * https://cloud.google.com/compute/docs/instances/instance-lifecycle#comparing-states
 */
const free = ['PROVISIONING', 'STAGING', 'PENDING', 'STOPPED', 'TERMINATED', 'SUSPENDED', 'DEPROVISIONING'];
/** https://cloud.google.com/tpu/docs/managing-tpus-tpu-vm#tpu-vm-states */
const freeTpus = [
  'WAITING',
  'CREATING',
  'STOPPED',
  'DELETING',
  'PREEMPTED',
  'TERMINATED',
  'FAILED',
  'SUSPENDED',
  'HIDDEN',
];

function ofMachine(machine: Machine, prices: PriceTable): Running[] {
  const { kind, zone, name, status, labels, startedAt, stoppedAt, endsAt, hardware } = machine;
  const isFree = (kind === 'tpu' ? freeTpus : free).includes(status);
  // On its way up for the first time; or it does not say when it came to its end, and is as if it were gone.
  if (!startedAt || (isFree && !stoppedAt)) return [];
  const price = hardware && priceOfHardware({ kind, region: regionOf(zone), ...hardware }, prices);
  const run: Running = {
    key: `${zone}/${name}@${startedAt}`,
    kind: kind === 'tpu' ? 'tpu' : 'machine',
    zone,
    name,
    words: wordsOf(machine),
    labels,
    ...(price === undefined ? {} : { perHour: price }),
    from: startedAt,
    ...(isFree && stoppedAt ? { to: stoppedAt } : {}),
    ...(endsAt ? { endsAt } : {}),
  };
  if (status !== 'SUSPENDED' || !stoppedAt) return [run];
  const { perHour: _, ...rest } = run;
  // At a price of its own. https://cloud.google.com/compute/docs/instances/suspend-instance#pricing
  const words = 'memory of a suspended machine';
  const { to: __, endsAt: ___, ...stored } = rest;
  return [run, { ...stored, key: `${zone}/${name}@${stoppedAt}/suspended`, words, from: stoppedAt }];
}

function wordsOf({ hardware }: Machine): string {
  if (!hardware) return 'a machine';
  const { machineType, guestAccelerators, model, localSsdGb } = hardware;
  return [
    machineType,
    ...guestAccelerators.map(({ type, count }) => `${count} × ${type}`),
    ...(localSsdGb > 0 ? [`${localSsdGb} GB of Local SSD`] : []),
    ...(model === 'spot' ? ['spot'] : []),
  ].join(', ');
}

function ofDisk(disk: Disk, machines: Machine[], prices: PriceTable): Running {
  const { name, zone, labels, users, sizeGb, type, createdAt } = disk;
  const perHour = priceOfDisk({ type, region: regionOf(zone), sizeGb }, prices);
  // That of a job goes with its machine.
  const user = machines.find((machine) => machine.zone === zone && users.includes(machine.name));
  const endsAt = labels['gazeline-job'] === undefined ? undefined : user?.endsAt;
  return {
    key: `${zone}/disks/${name}@${createdAt}`,
    kind: 'disk',
    zone,
    name,
    words: `${sizeGb} GB of ${type}`,
    labels,
    ...(perHour === undefined ? {} : { perHour }),
    from: createdAt,
    ...(endsAt ? { endsAt } : {}),
    ...(users.length === 0 ? { isUnused: true as const } : {}),
  };
}
