import type { ComputeClients } from '../../shared/machines/computeClients.ts';
import type { Records } from '../../shared/storage/records.ts';
import type { Clock } from './clock.ts';
import type { Lab } from './lab.ts';
import { latency, longestWait, second, type World } from './world.ts';

/** What a request to Cloud Storage takes. */
export const storageLatency = 0.05 * second;

/**
 * Google's clients as they are, of which each call takes its time by the clock of the simulation. An insert really
 * reaches the local Compute Engine, which fails it by a fault or a quota as the world says; its operation, there over at
 * once, is over for the caller when the world says so.
 */
export function simulatedTime(
  { compute, local }: Pick<Lab, 'compute' | 'local'>,
  world: World,
  clock: Clock,
): { compute: ComputeClients; ranAt: () => number | undefined } {
  const over = new Map<string, number>();
  let ranAt: number | undefined;

  const insert = async (request: Parameters<ComputeClients['instances']['insert']>[0]) => {
    clock.pass(latency);
    const zone = request?.zone ?? '';
    const { after, code, hints } = world.ask(zone, clock.now());
    if (code && code !== 'quotaExceeded') {
      const fault = { service: 'compute', kind: 'stockOut', machine: { zone }, times: 1 };
      await local('faults', { ...fault, code, zonesAvailable: hints });
    }
    const [answer, ...rest] = await compute.instances.insert(request as object);
    const operation = answer.latestResponse;
    over.set(operation.name ?? '', clock.now() + after);
    if (!code) ranAt = clock.now() + after;
    return [{ ...answer, latestResponse: { ...operation, ...unfinished } }, ...rest];
  };

  const wait = async (request: { project: string; zone: string; operation: string }) => {
    const called = clock.now();
    const answer = await compute.zoneOperations.wait(request);
    const at = over.get(request.operation) ?? called;
    clock.until(Math.max(called + latency, Math.min(at, called + longestWait)));
    if (at <= clock.now()) return answer;
    const [operation, ...rest] = answer;
    return [{ ...operation, ...unfinished }, ...rest];
  };

  const timed =
    <In extends unknown[], Out>(call: (...request: In) => Promise<Out>) =>
    (...request: In) => {
      clock.pass(latency);
      return call(...request);
    };
  const { instances, zoneOperations, listInstances, listDisks } = compute;
  return {
    ranAt: () => ranAt,
    compute: {
      ...compute,
      instances: changed(instances, { insert, get: timed((request: object) => instances.get(request)) }),
      zoneOperations: changed(zoneOperations, { wait }),
      listInstances: timed(listInstances),
      listDisks: timed(listDisks),
    },
  };
}

const unfinished = { status: 'RUNNING', error: null, httpErrorStatusCode: null };

const changed = <T extends object>(client: T, methods: object): T =>
  Object.assign(Object.create(client), methods);

/** Records as they are, of which each request takes its time. */
export const timedRecords = (records: Records, clock: Clock): Records => ({
  ...records,
  read(name, schema) {
    clock.pass(storageLatency);
    return records.read(name, schema);
  },
  write(name, value, generation) {
    clock.pass(storageLatency);
    return records.write(name, value, generation);
  },
  update(name, schema, change) {
    clock.pass(storageLatency);
    return records.update(name, schema, (before) => {
      const after = change(before);
      if (after !== undefined) clock.pass(storageLatency);
      return after;
    });
  },
});
