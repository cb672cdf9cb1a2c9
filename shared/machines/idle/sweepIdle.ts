import type { Result } from '../../budget/guardRecord.ts';
import type { Decision } from './decide.ts';
import { busier, type Evidence, noEvidence } from './evidence.ts';
import { type IdleMachine, whatOf } from './idleMachine.ts';
import { type IdleNotice, idleNotice } from './idleNotice.ts';
import { decided, idleRecordName } from './idleRecord.ts';
import { type IdleDependencies, type Look, lookAt } from './lookAt.ts';
import { longestWindow } from './policy.ts';
import { stopIdleMachine } from './stopIdleMachine.ts';
import { stopLabel, stopLabelValue } from './stopLabel.ts';

export type IdlePass = { machines: IdleMachine[]; results: Result[]; unseen: string[]; complete: boolean };

const atATime = 20;
const metrics = ['cpu', 'gpu', 'received', 'sent'] as const;

/**
 * Looks at every machine of the project; warns of those that are idle, and stops those whose countdown is over. One that is
 * in trouble does not keep the others, and what could not be seen is said so, and nothing is concluded from it.
 * @param isWanted asked before each stop, since somebody may change their mind
 * @throws when people could not be told; then nothing new was begun, and it comes again
 */
export async function sweepIdle(
  isWanted: () => Promise<boolean>,
  dependencies: IdleDependencies,
): Promise<IdlePass> {
  const { vms, measure, policy, isRehearsal, log, now } = dependencies;
  const { machines, unseen } = await vms.list();
  const results: Result[] = unseen.map((zone) => ({
    what: zone,
    outcome: 'failed',
    words: 'it did not answer: what runs there is not known',
  }));
  const isAnyUp = machines.some(({ status }) => status === 'RUNNING');
  const [cpu, gpu, received, sent] = isAnyUp
    ? await Promise.all(metrics.map((of) => measure(of, longestWindow(policy), now())))
    : [];

  const looks: Look[] = [];
  await inGroups(machines, async (machine) => {
    const evidenceOf = (window: number): Evidence => ({
      ...noEvidence,
      isZoneThere: !unseen.includes(machine.zone),
      ...(cpu ? { cpu: cpu(machine, window) } : {}),
      ...(gpu ? { gpu: gpu(machine, window) } : {}),
      ...(received && sent ? { network: busier(received(machine, window), sent(machine, window)) } : {}),
    });
    try {
      const look = await lookAt(machine, evidenceOf, dependencies);
      if (look) looks.push(look);
    } catch (error) {
      results.push(failed(machine, error));
      log.error('a machine could not be looked at, and is kept', { machine: whatOf(machine), error });
    }
  });

  let untold: unknown;
  const idle = looks.filter(({ decision }) => decision.do === 'warn');
  const news = idle.filter(
    ({ before, decision }) => before?.do !== 'warn' || before.stopAt !== decision.stopAt,
  );
  const warnings = isRehearsal ? [] : news;
  try {
    await tell('idle-warning', warnings, dependencies);
  } catch (error) {
    untold = error;
  }
  await inGroups(looks, async (look) => {
    const { machine, decision } = look;
    if (decision.do === 'stop' || (untold && warnings.includes(look))) return;
    try {
      await write(look, dependencies);
      if (!isRehearsal) await showOn(machine, decision, dependencies);
    } catch (error) {
      log.error('what was decided of a machine could not be shown', { machine: whatOf(machine), error });
    }
    const result = resultOf(look);
    if (result) results.push(result);
  });

  const over: IdleNotice['machines'] = [];
  await inGroups(
    looks.filter(({ decision }) => decision.do === 'stop'),
    async (look) => {
      const { machine, before, decision } = look;
      try {
        if (isRehearsal) {
          await write(look, dependencies);
          results.push({ what: whatOf(machine), outcome: 'rehearsed', words: decision.why });
          return;
        }
        const outcome = await stopIdleMachine(look, isWanted, dependencies);
        if (!outcome) return;
        const { what, words } = outcome;
        results.push({ what: whatOf(machine), outcome: what, ...(words ? { words } : {}) });
        if (before?.outcome?.what !== what || before.do !== 'stop')
          over.push({ what: whatOf(machine), why: words ?? decision.why, outcome: what });
      } catch (error) {
        results.push(failed(machine, error));
        log.error('an idle machine could not be stopped', { machine: whatOf(machine), error });
      }
    },
    50,
  );
  if (over.length > 0) await dependencies.notify(noticeOf('idle-done', over, dependencies));
  if (untold) throw untold;
  const isOpen = ({ outcome }: Result) => outcome === 'failed' || outcome === 'stopping';
  return { machines, results, unseen, complete: idle.length === 0 && !results.some(isOpen) };
}

async function write({ machine, decision, before, generation }: Look, dependencies: IdleDependencies) {
  const { records, isRehearsal, now } = dependencies;
  const after = decided(before, machine, decision, { isRehearsal, now: now() });
  // Whoever was faster has looked as well.
  if (after !== before) await records.write(idleRecordName(machine.id), after, generation);
}

/** The label is for people to see and to change; the countdown does not need it. */
async function showOn(machine: IdleMachine, { stopAt }: Decision, { vms }: IdleDependencies): Promise<void> {
  const wanted = stopAt && stopLabelValue(Date.parse(stopAt));
  if (machine.labels[stopLabel] !== wanted && (wanted || machine.status === 'RUNNING'))
    await vms.label(machine, stopLabel, wanted);
}

/** Of one that is not stopped now, as far as somebody wants to know. */
function resultOf({ machine, decision }: Look): Result | undefined {
  const { reason, why, stopAt } = decision;
  const what = whatOf(machine);
  if (stopAt) return { what, outcome: 'left', words: `it is idle, and is stopped at ${stopAt}` };
  const isLeft = reason === 'protected' || reason === 'opted-out' || reason === 'no-answer';
  return isLeft ? { what, outcome: 'left', words: why } : undefined;
}

const failed = (machine: IdleMachine, error: unknown): Result => ({
  what: whatOf(machine),
  outcome: 'failed',
  words: (error as Error).message.slice(0, 300),
});

async function tell(kind: IdleNotice['kind'], looks: Look[], dependencies: IdleDependencies) {
  if (looks.length === 0) return;
  const machines = looks.map(({ machine, decision: { why, stopAt } }) => ({
    what: whatOf(machine),
    why,
    ...(stopAt ? { stopAt } : {}),
  }));
  await dependencies.notify(noticeOf(kind, machines, dependencies));
}

const noticeOf = (
  kind: IdleNotice['kind'],
  machines: IdleNotice['machines'],
  { project, now }: IdleDependencies,
): IdleNotice => idleNotice(kind, machines, { project, at: new Date(now()).toISOString() });

async function inGroups<T>(items: T[], work: (item: T) => Promise<void>, size = atATime): Promise<void> {
  for (let first = 0; first < items.length; first += size)
    await Promise.all(items.slice(first, first + size).map(work));
}
