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

/** The largest first. Disks in use are not among them: they go with their machines. */
export function savingsOf({ running, period, asOf }: Spending): Saving[] {
  return running
    .flatMap(({ kind, zone, name, words, labels, perHour, endsAt = period.end, isUnused }): Saving[] => {
      if (perHour === undefined || (kind === 'disk' && !isUnused)) return [];
      const job = labels['gazeline-job'];
      const owner = labels['gazeline-owner'];
      const end = Math.min(Date.parse(endsAt), Date.parse(period.end));
      return [
        {
          what: `${zone}/${name}`,
          words: owner ? `${words}, of ${owner}` : words,
          by:
            kind === 'disk'
              ? `gcloud compute disks delete ${name} --zone ${zone}`
              : job
                ? `npx gazeline job cancel ${job}`
                : `gcloud compute instances stop ${name} --zone ${zone}`,
          perHour,
          inPeriod: (Math.max(0, end - Date.parse(asOf)) / 3_600_000) * perHour,
        },
      ];
    })
    .sort((one, other) => other.inPeriod - one.inPeriod);
}
