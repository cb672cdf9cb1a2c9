import { dollars, hoursOfMonth } from '../machines/prices.ts';
import type { Spending } from './spending.ts';

/** What somebody could end, and what they would keep by it. */
export type Saving = {
  what: string;
  /** What it is, and whose. */
  words: string;
  /** A command that does it. */
  by: string;
  /** US dollars. */
  perHour: number;
  /** Until the end of the period, or until it ends by itself. */
  inPeriod: number;
};

const commands = {
  machine: (name: string, zone: string) => `gcloud compute instances stop ${name} --zone ${zone}`,
  disk: (name: string, zone: string) => `gcloud compute disks delete ${name} --zone ${zone}`,
  tpu: (name: string, zone: string) => `gcloud compute tpus tpu-vm delete ${name} --zone ${zone}`,
};

/** The largest first. Disks in use are not among them: they go with their machines; nor what buckets hold, on purpose. */
export function savingsOf({ running, period, asOf }: Spending): Saving[] {
  return running
    .flatMap(({ kind, zone, name, words, labels, perHour, endsAt = period.end, isUnused }): Saving[] => {
      if (perHour === undefined || kind === 'storage' || (kind === 'disk' && !isUnused)) return [];
      const job = labels['gazeline-job'];
      const owner = labels['gazeline-owner'];
      const session = kind === 'machine' ? labels['gazeline-session'] : undefined;
      const end = Math.min(Date.parse(endsAt), Date.parse(period.end));
      return [
        {
          what: `${zone}/${name}`,
          words: [
            words,
            ...(owner ? [`of ${owner}`] : []),
            ...(kind === 'disk' ? [`${dollars(perHour * hoursOfMonth)} a month`] : []),
          ].join(', '),
          by:
            job && kind !== 'disk'
              ? `npx gazeline job cancel ${job}`
              : session
                ? `npx gazeline session stop ${session}`
                : commands[kind](name, zone),
          perHour,
          inPeriod: (Math.max(0, end - Date.parse(asOf)) / 3_600_000) * perHour,
        },
      ];
    })
    .sort((one, other) => other.inPeriod - one.inPeriod);
}
