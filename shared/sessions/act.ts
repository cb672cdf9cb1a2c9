import { NotYet } from '../once.ts';
import type { SessionDependencies, Step } from './dependencies.ts';
import type { Asked } from './instances.ts';
import { changeSession, moved, type SessionRecord } from './sessionRecord.ts';

/** Asks for something once, until that is over: what is asked for is written down before. */
export async function act(
  { name, action }: SessionRecord,
  verb: NonNullable<SessionRecord['action']>['verb'],
  ask: () => Promise<Asked>,
  dependencies: SessionDependencies,
): Promise<Step> {
  const { records, instances, log, now } = dependencies;
  if (action?.verb === verb && action.operation) {
    const outcome = await instances.outcome(action.operation);
    if (outcome === undefined) return 'later';
    if (typeof outcome === 'object')
      log.error('a session does not do what it is told', {
        session: name,
        verb,
        reason: outcome.failure.raw,
      });
  }
  const at = new Date(now()).toISOString();
  await changeSession(records, name, (before) => ({ ...before, action: { verb, at } }));
  const answer = await ask();
  if ('operation' in answer) {
    const { operation } = answer;
    log.info('asked for', { session: name, verb });
    await changeSession(records, name, (before) =>
      before.action?.verb === verb && before.action.at === at
        ? { ...before, action: { verb, at, operation } }
        : before,
    );
    return 'later';
  }
  const { kind, words, raw } = answer.failure;
  // Something else is under way on it.
  if (kind === 'exists') return 'later';
  if (kind === 'transient' || kind === 'rate' || kind === 'not-found') throw new NotYet(words);
  log.error('a session does not do what it is told', { session: name, verb, reason: raw });
  if (verb === 'start') {
    const record = await changeSession(records, name, (before) => before);
    return record ? notStarted(record, words, dependencies) : 'done';
  }
  await changeSession(records, name, (before) =>
    before.reason === words ? before : { ...before, reason: words },
  );
  return 'done';
}

/** It stays stopped, with what is on its disks. */
export async function notStarted(
  { name }: SessionRecord,
  reason: string,
  { records, log, now }: SessionDependencies,
): Promise<Step> {
  const at = new Date(now()).toISOString();
  await changeSession(records, name, (before) => {
    if (before.state !== 'starting') return before;
    const { action: _, ...rest } = before;
    return {
      ...moved(rest, 'stopped', at, `it could not be started: ${reason}`),
      wish: 'stopped',
      wishedAt: at,
    };
  });
  log.warning('a session could not be started', { session: name, reason });
  return 'done';
}
