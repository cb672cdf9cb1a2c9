import type { Key } from '../zonal.ts';
import { machineTypeIn } from './catalogue/machineTypes.ts';
import type { Instance } from './instances/instance.ts';
import type { Operation } from './operations.ts';
import type { Parts } from './parts.ts';

/** A machine whose processes can be looked at. */
export type Running = {
  id: string;
  zone: string;
  name: string;
  /** Of its machine type, whatever this computer has. */
  cpus: number;
  /** The number of its session. */
  session: number;
};

/** What other services of the local cloud know of machines. */
export type Machines = {
  /** For `instances/actions.ts`. */
  parts: Parts;
  get(key: Key): Instance | undefined;
  all(): Instance[];
  operation(key: { zone: string; name: string }): Operation | undefined;
  running(): Running[];
};

export function createMachines(parts: Parts): Machines {
  const { tables, life } = parts;
  return {
    parts,
    get: tables.instances.get,
    all: tables.instances.all,
    operation: tables.operations.get,
    running: () =>
      tables.instances.all().flatMap((instance) => {
        const { id, zone, name, machineType, status } = instance;
        const session = life.runtime(instance)?.live?.pid;
        if (status !== 'RUNNING' || session === undefined) return [];
        return [{ id, zone, name, cpus: machineTypeIn(zone, machineType)?.cpus ?? 1, session }];
      }),
  };
}
