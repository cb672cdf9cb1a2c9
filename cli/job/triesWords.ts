import type { Try } from '../../shared/jobs/jobRecord.ts';

const words: { [kind: string]: string } = {
  'stock-out': 'sold out',
  quota: 'quota used up',
  'quota-zero': 'no quota at all',
  rate: 'too many requests',
  permission: 'a right is missing',
  'bad-request': 'not accepted',
  exists: 'something of this name is there',
  'not-found': 'not there',
  'zone-closed': 'closed to this project',
  transient: 'failed for the moment',
  unknown: 'not understood',
};

export type TriesGroup = { count: number; zones: string[]; words: string; last: Try };

/** Many tries in few words: `sold out in 14 zones`, the most frequent first. */
export function groupTries(tries: Try[]): TriesGroup[] {
  const groups = Map.groupBy(tries, ({ kind, machineType, model }) => `${kind} ${machineType} ${model}`);
  return [...groups.values()]
    .map((group) => {
      const last = group.at(-1) as Try;
      const zones = [...new Set(group.map(({ zone }) => zone))];
      const where = zones.length === 1 ? zones[0] : `${zones.length} zones`;
      const times = group.length > zones.length ? `, asked ${group.length} times` : '';
      const machine = `${last.machineType}${last.model === 'spot' ? ' spot' : ''}`;
      return {
        count: group.length,
        zones,
        words: `${machine}: ${words[last.kind] ?? last.kind} in ${where}${times}`,
        last,
      };
    })
    .sort((one, other) => other.count - one.count);
}
