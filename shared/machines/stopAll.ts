import type { Log } from '../log.ts';
import type { Machine, Seen, Stopped } from './machines.ts';
import { protectionOf } from './protection.ts';

/** A service whose machines can be stopped, whoever made them. */
export type Stoppable = {
  /** All of the project. */
  listAll(): Promise<Seen>;
  /** Whether it costs something until it is stopped, and can be. */
  runs(machine: Machine): boolean;
  /**
   * Tells the machine to shut down, by which a job saves a checkpoint, and waits for its end: at the latest, the service
   * cuts it off (https://cloud.google.com/compute/docs/instances/stop-start-instance: 90 s; 30 s for spot).
   */
  stop(zone: string, name: string, options: { discardLocalSsd: boolean }): Promise<Stopped>;
};

export type StopAllDependencies = {
  services: Stoppable[];
  /** Whether what is on Local SSDs may be lost. Of our own jobs it may: what counts is in a bucket. */
  discardLocalSsd: boolean;
  log: Log;
  now: () => number;
};

export type StopResult = {
  what: string;
  outcome: 'stopped' | 'stopping' | 'left' | 'failed';
  words?: string;
};

const atATime = 50;

/**
 * Stops what runs in the project, except what is protected. One that cannot be stopped does not keep the others, and a
 * zone that does not answer is said so, and makes the pass incomplete.
 * @param isWanted asked again and again, since somebody may change their mind
 */
export async function stopAll(
  isWanted: () => Promise<boolean>,
  { services, discardLocalSsd, log, now }: StopAllDependencies,
): Promise<{ results: StopResult[]; complete: boolean }> {
  const results: StopResult[] = [];
  let complete = true;
  for (const service of services) {
    const { machines, unseen } = await service.listAll();
    for (const zone of unseen) {
      complete = false;
      results.push({
        what: zone,
        outcome: 'failed',
        words: 'it did not answer: what runs there is not known',
      });
    }
    const running: Machine[] = [];
    for (const machine of machines.filter((one) => service.runs(one))) {
      const why = protectionOf(machine, now()) ?? managerOf(machine);
      if (why) results.push({ what: whatOf(machine), outcome: 'left', words: why });
      else running.push(machine);
    }
    // On its way up it cannot be stopped yet, and is soon.
    if (machines.some(({ status }) => status === 'PROVISIONING' || status === 'STAGING')) complete = false;
    for (let first = 0; first < running.length; first += atATime) {
      if (!(await isWanted())) return { results, complete: true };
      const some = running.slice(first, first + atATime);
      results.push(...(await Promise.all(some.map((machine) => stopOne(machine, service)))));
    }
  }
  if (results.some(({ outcome }) => outcome === 'failed' || outcome === 'stopping')) complete = false;
  return { results, complete };

  async function stopOne(machine: Machine, service: Stoppable): Promise<StopResult> {
    const { zone, name, labels } = machine;
    const what = whatOf(machine);
    try {
      const isOurs = labels['gazeline-job'] !== undefined;
      const { stopped, failure } = await service.stop(zone, name, {
        discardLocalSsd: isOurs || discardLocalSsd,
      });
      if (failure) return { what, outcome: 'failed', words: failure.words };
      return { what, outcome: stopped ? 'stopped' : 'stopping' };
    } catch (error) {
      log.error('a machine could not be stopped', { machine: what, error });
      return { what, outcome: 'failed', words: (error as Error).message.slice(0, 300) };
    }
  }
}

const whatOf = ({ zone, name }: Machine) => `${zone}/${name}`;

/** A group puts another machine in the place of one that is stopped: it is to be made smaller instead. */
const managerOf = ({ createdBy }: Machine): string | undefined =>
  createdBy?.includes('/instanceGroupManagers/')
    ? `it belongs to the group ${createdBy.split('/').at(-1)}, which would make it anew; resize the group to 0`
    : undefined;
