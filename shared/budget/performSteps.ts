import { randomUUID } from 'node:crypto';
import type { Log } from '../log.ts';
import { NotYet } from '../once.ts';
import type { Records } from '../storage/records.ts';
import { GuardRecord, guardRecordName, type Result, type Step } from './guardRecord.ts';
import { isAtLeast } from './levels.ts';
import { type Notice, noticeOf } from './notice.ts';

/** What came of a pass over machines; `complete` if all could be seen, and nothing failed or is still on its way. */
export type Pass = { results: Result[]; complete: boolean };

export type GuardActions = {
  notify(notice: Notice): Promise<void>;
  /** @param isWanted false as soon as a person has released the level, or a new period has begun */
  stopIdle(isWanted: () => Promise<boolean>): Promise<Pass>;
  stopAll(isWanted: () => Promise<boolean>): Promise<Pass>;
  /** @param isRehearsal looks whether it could be done, and does nothing */
  detach(isRehearsal: boolean): Promise<Pass>;
};

export type PerformDependencies = {
  records: Records;
  actions: GuardActions;
  project: string;
  /** By whom the record is kept meanwhile; milliseconds. */
  lease: number;
  /** Between the rehearsal of a detachment and the real one; milliseconds. */
  secondThoughts: number;
  log: Log;
  now: () => number;
};

/** What has called the guard, as far as it matters for what is done now. */
export type Occasion = {
  /** The estimate comes every five minutes, and keeps a level: what was started by hand since is stopped as well. */
  holds: boolean;
  /** Google has just now said that this much is billed. */
  isFresh: boolean;
};

const mostResults = 500;

/**
 * Does what the level of the guard asks for, in the order of the levels. Each step is written down before it is begun and
 * when it is done, so whoever comes after a crash goes on where it was. One at a time.
 * @throws NotYet if somebody else is at it and may die
 */
export async function performSteps(occasion: Occasion, dependencies: PerformDependencies): Promise<void> {
  const { records, lease, now, log } = dependencies;
  const me = randomUUID();
  let isElsewhere = false;
  let isMine = false;
  await change(records, (record) => {
    isElsewhere = isMine = false;
    if (!nextStep(record, occasion, dependencies)) return undefined;
    isElsewhere = record.busy !== undefined && Date.parse(record.busy.until) > now();
    isMine = !isElsewhere;
    return isMine ? { ...record, busy: { by: me, until: iso(now() + lease) } } : undefined;
  });
  if (isElsewhere) throw new NotYet('the budget guard is at it already');
  if (!isMine) return;
  const untold: unknown[] = [];
  try {
    const done = new Set<string>();
    for (;;) {
      const record = (await records.read(guardRecordName, GuardRecord))?.value;
      if (record?.busy?.by !== me) return;
      const step = nextStep(record, occasion, dependencies, done);
      if (!step) break;
      done.add(step.level);
      await perform(record, step, occasion, dependencies, untold);
    }
  } finally {
    await change(records, (record) => {
      const { busy, ...rest } = record;
      return busy?.by === me ? rest : undefined;
    });
  }
  // What costs money is stopped by now; that nobody knows of it is not left so either.
  if (untold.length > 0) {
    log.error('people could not be told', { error: untold[0] });
    throw untold[0];
  }
}

/** The first step that there is something to do for. */
function nextStep(
  record: GuardRecord,
  { holds, isFresh }: Occasion,
  { now, secondThoughts }: PerformDependencies,
  done: Set<string> = new Set(),
): Step | undefined {
  if (Date.parse(record.period.end) <= now()) return undefined;
  const last = record.steps.at(-1);
  // What stops machines is kept up by the highest level that does; all that it stops, it stops.
  const keeping = record.steps.findLast(({ level }) => level === 'stop-idle' || level === 'stop-all');
  return record.steps.find((step) => {
    if (done.has(step.level)) return false;
    if (step === last && !step.announcedAt) return true;
    if (step.level === 'detached') {
      if (step.doneAt) return step.complete === false && isFresh;
      if (!step.rehearsedAt) return true;
      return isFresh && now() - Date.parse(step.rehearsedAt) >= secondThoughts;
    }
    if (!step.doneAt) return true;
    return step === keeping && (holds || step.complete === false);
  });
}

async function perform(
  record: GuardRecord,
  given: Step,
  occasion: Occasion,
  { records, actions, project, now, log }: PerformDependencies,
  untold: unknown[],
): Promise<void> {
  const { period } = record;
  const { level } = given;
  const tell = async (step: Step, kind: Notice['kind']): Promise<boolean> => {
    try {
      await actions.notify(noticeOf(record, step, kind, { project, at: iso(now()) }));
      return true;
    } catch (error) {
      untold.push(error);
      return false;
    }
  };
  /** Unless the step is not there any more: it was released meanwhile, even if reached again, or the period is over. */
  const note = async (more: Partial<Step> | ((step: Step) => Partial<Step>), of = given) => {
    let noted: Step | undefined;
    await change(records, (current) => {
      noted = undefined;
      if (current.period.start !== period.start) return undefined;
      const steps = current.steps.map((step) => {
        if (step.level !== of.level || step.raisedAt !== of.raisedAt) return step;
        noted = { ...step, ...(typeof more === 'function' ? more(step) : more) };
        return noted;
      });
      return noted ? { ...current, steps } : undefined;
    });
    return noted;
  };
  const isWanted = async () => {
    const current = (await records.read(guardRecordName, GuardRecord))?.value;
    const isOn = current?.period.start === period.start && Date.parse(period.end) > now();
    return isOn && isAtLeast(current.level, level);
  };

  const begun = ({ startedAt = iso(now()) }: Step) => ({ startedAt });
  // What stops nothing is begun and done in one write: an object takes about one a second.
  const step = stopsNothing(level) ? given : await note(begun);
  if (!step) return;
  // Of several levels that are reached at once, people are told the highest, and before anything is done.
  const highest = record.steps.at(-1);
  if (highest && !highest.announcedAt && (await tell(highest, 'raised')))
    await note({ announcedAt: iso(now()) }, highest);

  const isRehearsal = level === 'detached' && !step.rehearsedAt;
  const isOver = step.doneAt !== undefined && step.complete !== false && !(occasion.holds && canHold(level));
  if (isOver) return;
  const pass = await act(level, actions, isWanted, isRehearsal);
  const after = await note((current) => ({
    ...begun(current),
    results: merged(current.results, pass.results),
    ...(isRehearsal ? { rehearsedAt: iso(now()) } : { doneAt: iso(now()), complete: pass.complete }),
  }));
  log.info('a step of the budget guard', { level, complete: pass.complete, results: pass.results });
  const news = pass.results.filter((one) => !step.results.some((known) => isSame(one, known)));
  if (after && news.length > 0) await tell({ ...after, results: news }, 'done');
}

const stopsNothing = (level: Step['level']) => level === 'warned' || level === 'no-new-work';
const canHold = (level: Step['level']) => level === 'stop-idle' || level === 'stop-all';

async function act(
  level: Step['level'],
  { stopIdle, stopAll, detach }: GuardActions,
  isWanted: () => Promise<boolean>,
  isRehearsal: boolean,
): Promise<Pass> {
  switch (level) {
    case 'warned':
    case 'no-new-work':
      // Nothing but to be told, and to be found in the record.
      return { results: [], complete: true };
    case 'stop-idle':
      return stopIdle(isWanted);
    case 'stop-all':
      return stopAll(isWanted);
    case 'detached':
      return (await isWanted()) ? detach(isRehearsal) : { results: [], complete: true };
  }
}

/** The latest word on each. */
const merged = (before: Result[], now: Result[]) =>
  [...before.filter(({ what }) => !now.some((one) => one.what === what)), ...now].slice(-mostResults);
const isSame = (one: Result, other: Result) => one.what === other.what && one.outcome === other.outcome;

const change = (records: Records, work: (record: GuardRecord) => GuardRecord | undefined) =>
  records.update(guardRecordName, GuardRecord, (before): GuardRecord | undefined => before && work(before));

const iso = (ms: number) => new Date(ms).toISOString();
