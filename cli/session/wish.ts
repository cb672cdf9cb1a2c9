import { clean } from '../../shared/clean.ts';
import { Refusal } from '../../shared/refusal.ts';
import {
  deleteSession,
  resumeSession,
  SessionConflict,
  stopSession,
} from '../../shared/sessions/requestSession.ts';
import { isOver, type SessionRecord } from '../../shared/sessions/sessionRecord.ts';
import { summaryOf } from '../../shared/sessions/summary.ts';
import { agrees } from '../agrees.ts';
import { connect, type Where } from '../connect.ts';
import { follow } from './follow.ts';
import { findSession, noSession, type OpenSessions, openSessions } from './open.ts';
import { tellOutcome } from './outcome.ts';

export type WishOptions = Where & { json?: true; yes?: true; wait: boolean; timeout: number };

export const stop = wishFor('stopped', stopSession);
export const resume = wishFor('running', resumeSession);
export const remove = wishFor('deleted', deleteSession);

/** A verb that only says what is wanted of a session, and then watches. It gives the exit code: 0 when it is so. */
function wishFor(
  wish: SessionRecord['wish'],
  ask: (to: OpenSessions, name: string, now: Date) => Promise<SessionRecord | undefined>,
) {
  return async (name: string, { json, yes, wait, timeout, ...where }: WishOptions): Promise<number> => {
    await connect(where);
    const sessions = await openSessions();
    const before = await findSession(sessions, name);
    if (isOver(before)) {
      if (wish === 'running') throw new Refusal(`${name} is ${before.state}: start it anew.`);
      console.error(`Nothing of ${name} is there: it is ${before.state}.`);
      return tellOutcome(before, wish, sessions, json);
    }
    if (wish === 'deleted' && !(yes || (await isMeant(before, sessions)))) {
      console.error('It stays as it is.');
      return 1;
    }
    try {
      const record = (await ask(sessions, name, new Date())) ?? noSession(name);
      if (wait) return tellOutcome(await follow(sessions, record, timeout * 60_000), wish, sessions, json);
      if (json) console.log(JSON.stringify(summaryOf(record, sessions.prices), undefined, 2));
      else console.log(`It is asked for. npx gazeline session show ${name} tells how it is.`);
      return 0;
    } catch (error) {
      if (error instanceof SessionConflict) throw new Refusal(error.message, { cause: error });
      throw error;
    }
  };
}

function isMeant({ name, owner, session }: SessionRecord, { config }: OpenSessions): Promise<boolean> {
  console.error(
    `${name} of ${clean(owner)}: its disk of ${session.disk} GB goes as well, with all that is on it and was not pushed or copied. ` +
      `${config.localCloud ? '' : 'It cannot be brought back. '}To keep it, stop the session.`,
  );
  return agrees(`Delete ${name}?`, `There is nobody to ask whether ${name} is meant. Say so with --yes.`);
}
