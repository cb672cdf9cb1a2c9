import type { Log } from '../../log.ts';
import type { Records } from '../../storage/records.ts';
import type { Stoppable } from '../stopAll.ts';
import { type Decision, decide, seenBy } from './decide.ts';
import type { Evidence } from './evidence.ts';
import { type IdleMachine, jobOf } from './idleMachine.ts';
import type { IdleNotice } from './idleNotice.ts';
import { IdleRecord, idleRecordName } from './idleRecord.ts';
import type { IdleVms } from './idleVms.ts';
import type { IdlePolicy } from './policy.ts';
import { readStopLabel, stopLabel } from './stopLabel.ts';
import type { Utilization } from './utilization.ts';
import type { Workbench } from './workbench.ts';

export type IdleDependencies = {
  project: string;
  vms: IdleVms;
  compute: Pick<Stoppable, 'stop'>;
  workbench: Workbench;
  /** Asks Monitoring about all machines at once. */
  measure(of: 'cpu' | 'gpu' | 'received' | 'sent', window: number, now: number): Promise<Utilization>;
  notify(notice: IdleNotice): Promise<void>;
  records: Records;
  policy: IdlePolicy;
  /** Decides, writes the decisions down, and does nothing. */
  isRehearsal: boolean;
  /** Whether what is on Local SSDs may be lost. */
  discardLocalSsd: boolean;
  log: Log;
  now: () => number;
};

/** A machine as it was looked at. */
export type Look = {
  machine: IdleMachine;
  decision: Decision;
  before: IdleRecord | undefined;
  /** Of the record. */
  generation: string;
};

/**
 * @param evidenceOf what has been measured in so many milliseconds
 * @returns undefined for a machine that is none of the sweep's business
 */
export async function lookAt(
  machine: IdleMachine,
  evidenceOf: (window: number) => Evidence,
  { vms, records, policy, isRehearsal, now }: IdleDependencies,
): Promise<Look | undefined> {
  // Jobs have a sweep of their own, and so many machines that a record of each would never end.
  if (jobOf(machine)) return undefined;
  const read = await records.read(idleRecordName(machine.id), IdleRecord);
  const { value: before, generation = '0' } = read ?? {};
  // What has never run while somebody looked has nothing to be told of.
  if (!before && machine.status !== 'RUNNING') return undefined;
  const counted = { ...machine, ...countdownOf(machine, before, isRehearsal) };
  let decision = decide(counted, evidenceOf(policy.after), policy, now());
  // Its agent is asked only where it matters.
  if (decision.do !== 'keep') {
    const heartbeat = await vms.hear(machine);
    const { after } = seenBy(heartbeat, policy, now());
    decision = decide(counted, { ...evidenceOf(after), heartbeat }, policy, now());
  }
  return { machine, decision, before, generation };
}

/** Of a warning that people have had. Somebody may have set the label to a later time. */
export function countdownOf(
  { labels }: Pick<IdleMachine, 'labels'>,
  before: IdleRecord | undefined,
  isRehearsal: boolean,
): { stopAt?: string } {
  if (!before?.stopAt || before.isRehearsal !== isRehearsal) return {};
  const said = Math.max(Date.parse(before.stopAt), readStopLabel(labels[stopLabel]) ?? 0);
  return { stopAt: new Date(said).toISOString() };
}
