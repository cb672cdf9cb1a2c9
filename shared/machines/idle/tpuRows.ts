import type { Machine, Paid } from '../machines.ts';
import { priceTable } from '../priceTable.ts';
import { protectionOf } from '../protection.ts';
import { jobOf, whatOf } from './idleMachine.ts';
import { hoursUp, isUp, perHourOf, whyKept } from './tellOfTpus.ts';

/** All TPUs of the project in the order of their names, those of jobs as well; and places that did not answer. */
export async function tpuRows(
  tpus: Pick<Paid, 'listAll'>,
): Promise<{ tpus: Machine[]; unseen: string[]; wasSeen: (zone: string) => boolean }> {
  const { machines, unseen, wasSeen } = await tpus.listAll();
  return {
    tpus: machines.sort((one, other) => (whatOf(one) < whatOf(other) ? -1 : 1)),
    unseen: unseen.map((zone) => `${zone} (TPUs)`),
    wasSeen,
  };
}

/** Why nothing becomes of a TPU that somebody has made by hand. */
export const whyTpuStays = (tpu: Machine, now: number): string => protectionOf(tpu, now) ?? whyKept;

/** For programs. A TPU has no id by which anything else knows it. */
export function tpuSummary(tpu: Machine, now: number) {
  const { kind, zone, name, status, createdAt, startedAt, labels, hardware } = tpu;
  const reason = protectionOf(tpu, now) === undefined ? 'unwatched' : 'protected';
  return {
    ...{ kind, zone, name, status, machineType: hardware?.machineType ?? '', createdAt, labels },
    ...(startedAt ? { startedAt } : {}),
    perHour: perHourOf(tpu, priceTable()) ?? null,
    ...(status === 'READY' ? { upSeconds: Math.round(hoursUp(tpu, now) * 3600) } : {}),
    decision: isUp(tpu) ? { do: 'keep' as const, reason, why: whyTpuStays(tpu, now) } : null,
  };
}

/** What somebody is told who wants to stop or keep a TPU, and what they can do instead. */
export function whyNotOfTpu(tpu: Machine, wanted: 'stop' | 'keep'): string {
  const { zone, name } = tpu;
  const job = jobOf(tpu);
  if (job !== undefined)
    return wanted === 'stop'
      ? `It is a TPU that works on the job ${job}: cancel that.`
      : `It is a TPU that works on the job ${job}, and stays until that ends.`;
  const head = `${whatOf(tpu)} is a TPU that no job of the lab made.`;
  if (wanted === 'keep')
    return `${head} Gazeline stops none of those, so there is nothing to keep it from: ${whyKept}.`;
  // The commands are to be copied: no full stop belongs to them.
  return (
    `${head} Gazeline stops none of those: ${whyKept}, and one of a queue can only be deleted. ` +
    `To delete it: gcloud compute tpus tpu-vm delete ${name} --zone=${zone}; if it came from a queue: ` +
    `gcloud compute tpus queued-resources delete ${name} --zone=${zone} --force`
  );
}
