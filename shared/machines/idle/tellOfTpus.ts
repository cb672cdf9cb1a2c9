import * as z from 'zod';
import { regionOf } from '../candidates.ts';
import type { Machine, Paid } from '../machines.ts';
import { dollars, priceOfHardware } from '../prices.ts';
import type { PriceTable } from '../priceTable.ts';
import { protectionOf } from '../protection.ts';
import { jobOf, whatOf } from './idleMachine.ts';
import { idleNotice } from './idleNotice.ts';
import type { IdleDependencies } from './lookAt.ts';

export type TpuDependencies = Pick<
  IdleDependencies,
  'notify' | 'records' | 'policy' | 'project' | 'isRehearsal' | 'log' | 'now'
> & { tpus: Pick<Paid, 'listAll'>; prices: PriceTable };

const Told = z.object({ told: z.record(z.string(), z.iso.datetime()) });
export const toldOfTpus = 'machines/tpus.json';

const hour = 3_600_000;
const again = 24 * hour;

export const whyKept =
  'whether a TPU is in use cannot be told: Monitoring does not say of which one its measurements are';

/**
 * TPUs that somebody has made by hand are never stopped for being idle. The series of their workers bear a location and the
 * id of a worker, and nothing says to which node that belongs (https://cloud.google.com/monitoring/api/resources,
 * `tpu.googleapis.com/GceTpuWorker`); and those of a queue can only be deleted. So people are told of them and of what they
 * cost, when they have been up for half a day, and each day again.
 */
export async function tellOfTpus(dependencies: TpuDependencies): Promise<void> {
  const { tpus, prices, notify, records, policy, project, isRehearsal, log, now } = dependencies;
  const { machines, wasSeen } = await tpus.listAll();
  const before = (await records.read(toldOfTpus, Told))?.value.told ?? {};
  const up = machines.filter((tpu) => isUp(tpu) && !protectionOf(tpu, now()));
  const news = up.filter((tpu) => {
    const told = Date.parse(before[keyOf(tpu)] ?? '');
    return hoursUp(tpu, now()) * hour >= policy.hardLimit && !(now() - told < again);
  });
  if (news.length === 0) return;
  const at = new Date(now()).toISOString();
  const lines = news.map((tpu) => ({ what: whatOf(tpu), why: costWords(tpu, prices, now()) }));
  if (isRehearsal) return log.info('people would be told of TPUs', { lines });
  await notify(idleNotice('tpu-unwatched', lines, { project, at }));
  const still = Object.entries(before).filter(
    ([key]) => up.some((tpu) => keyOf(tpu) === key) || !wasSeen(key.split('/')[0] ?? ''),
  );
  const told = { ...Object.fromEntries(still), ...Object.fromEntries(news.map((tpu) => [keyOf(tpu), at])) };
  await records.update(toldOfTpus, Told, () => ({ told }));
}

/** Made by hand, and paid: those of jobs are looked after by `machine-sweep`. */
export const isUp = (tpu: Machine): boolean => tpu.status === 'READY' && jobOf(tpu) === undefined;

export const hoursUp = ({ startedAt, createdAt }: Machine, now: number): number =>
  (now - Date.parse(startedAt ?? createdAt)) / hour;

export const perHourOf = ({ zone, hardware }: Machine, prices: PriceTable): number | undefined =>
  hardware && priceOfHardware({ kind: 'tpu', region: regionOf(zone), ...hardware }, prices);

function costWords(tpu: Machine, prices: PriceTable, now: number): string {
  const hours = hoursUp(tpu, now);
  const perHour = perHourOf(tpu, prices);
  const cost =
    perHour === undefined
      ? 'its price is not known'
      : `${dollars(perHour)} an hour, ${dollars(perHour * hours)} so far`;
  return `${tpu.hardware?.machineType ?? 'a TPU'}, up for ${Math.floor(hours)} hours, ${cost}`;
}

const keyOf = ({ zone, name, createdAt }: Machine) => `${zone}/${name}@${createdAt}`;
