import { setTimeout } from 'node:timers/promises';
import type { Publish } from '../publish.ts';
import { Unprocessable } from '../unprocessable.ts';
import type { SessionDependencies, Step } from './dependencies.ts';
import { place, settle } from './place.ts';
import { reconcile } from './reconcile.ts';
import { requestSession } from './requestSession.ts';
import { isOver, readSession, type SessionRecord } from './sessionRecord.ts';

export type LookAfterDependencies = SessionDependencies & {
  publish: Publish;
  /** Milliseconds since 1970; whoever waits then leaves it to the sweep, and whoever has more to do to another one. */
  deadline: number;
  /** Between two looks; milliseconds. */
  pause: number;
};

/**
 * Goes on with a session, whatever is under way, until there is nothing more to do at once. It goes by the record, where
 * what is asked for is written first, and by what Workbench says is there: after a crash the next one goes on from there.
 */
export async function lookAfter(name: string, dependencies: LookAfterDependencies): Promise<void> {
  const { records, publish, deadline, pause, now } = dependencies;
  for (;;) {
    const record = await readSession(records, name);
    if (!record) throw new Unprocessable(`there is no session ${name}`);
    const step = await nextStep(record, dependencies);
    if (step === 'done') return;
    if (now() >= deadline) return step === 'again' ? requestSession(publish, name) : undefined;
    if (step === 'later') await setTimeout(pause);
  }
}

export function nextStep(record: SessionRecord, dependencies: SessionDependencies): Promise<Step> {
  if (isOver(record)) return Promise.resolve('done');
  if (record.asked) return settle(record, dependencies);
  return record.candidate ? reconcile(record, dependencies) : place(record, dependencies);
}
