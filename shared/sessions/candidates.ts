import type { Candidate } from '../machines/candidate.ts';
import { candidatesOf } from '../machines/candidates.ts';
import { shapeOf } from '../machines/machineTypes.ts';
import { priceOf } from '../machines/prices.ts';
import type { PriceTable } from '../machines/priceTable.ts';
import type { Session } from './session.ts';

/** Gigabytes: what Workbench recommends, and the size of its image. https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/BootDisk */
export const bootDisk = 150;

/** Of both disks, which cost something whether or not the session runs. */
export const diskGbOf = ({ disk }: Pick<Session, 'disk'>): number => bootDisk + disk;

/**
 * Every machine that the session would accept, in the order of its list and then the cheapest first. Workbench has no spot
 * machines: an instance says nothing of how it is provisioned.
 * https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/GceSetup
 */
export function sessionCandidates(session: Session, table: PriceTable, regions?: string[]): Candidate[] {
  const { accelerators, machine } = session;
  const disk = diskGbOf(session);
  const shape = machine === undefined ? undefined : shapeOf(machine);
  return accelerators.flatMap((wanted) => {
    const isCpu = 'cpu' in wanted;
    const one = isCpu && shape ? { cpu: shape.vcpus, memory: shape.memory } : wanted;
    const where = { accelerators: [one], disk, ...(session.regions ? { regions: session.regions } : {}) };
    const usual = candidatesOf(where, ['standard'], table, regions);
    if (machine === undefined) return usual;
    if (isCpu) return usual.filter(({ machineType }) => machineType === machine);
    return usual.map(({ price: _, ...candidate }) => {
      const other = { ...candidate, machineType: machine };
      const price = priceOf(other, disk, table);
      return price ? { ...other, price } : other;
    });
  });
}
