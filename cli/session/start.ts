import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { config } from '../../shared/config.ts';
import { Refusal } from '../../shared/refusal.ts';
import { quoteSession } from '../../shared/sessions/quote.ts';
import { newSession, SessionConflict } from '../../shared/sessions/requestSession.ts';
import { InvalidSession, readWish, type Session } from '../../shared/sessions/session.ts';
import { costWords } from '../../shared/sessions/summary.ts';
import { agrees } from '../agrees.ts';
import { connect, type Where } from '../connect.ts';
import { withRepository } from '../job/source.ts';
import { follow } from './follow.ts';
import { type OpenSessions, openSessions } from './open.ts';
import { tellOutcome } from './outcome.ts';
import { ownerOf } from './owner.ts';

export type StartOptions = Where & {
  json?: true;
  yes?: true;
  wait: boolean;
  /** Minutes. */
  timeout: number;
  owner?: string;
  accelerator?: string[];
  machine?: string;
  image?: string;
  disk?: number;
  repository?: string;
  ref?: string;
  data?: string[];
  idle?: number;
  hours?: number;
  region?: string[];
};

/** @returns the exit code: 0 when it runs, or is asked for; 1 if there was no machine or the person said no */
export async function start(name: string, options: StartOptions): Promise<number> {
  const { dir, json, yes, wait, timeout, owner: given } = options;
  await connect(dir === undefined ? {} : { dir });
  let session: Session;
  try {
    session = await wishOf(name, options);
  } catch (error) {
    if (!(error instanceof InvalidSession)) throw error;
    for (const line of error.lines) console.error(pc.red(line));
    return 2;
  }
  const owner = await ownerOf(given);
  const sessions = await openSessions();
  console.error(`${pc.bold(name)}, of ${clean(owner)}`);
  console.error(await quoteOf(sessions, session));
  if (config().localCloud) console.error(pc.dim('This is a local cloud: nothing is really paid.'));
  const nobody = 'There is nobody to ask whether this is meant, and nothing was started. Say so with --yes.';
  if (!yes && !(await agrees('Start it?', nobody))) {
    console.error('Nothing was started.');
    return 1;
  }
  try {
    const record = await newSession(sessions, { session, owner }, new Date());
    if (!wait) {
      if (json) return tellOutcome(record, record.wish, sessions, json);
      console.log(`It is asked for. npx gazeline session show ${name} tells how it is.`);
      return 0;
    }
    return tellOutcome(await follow(sessions, record, timeout * 60_000), 'running', sessions, json);
  } catch (error) {
    if (error instanceof SessionConflict) throw new Refusal(error.message, { cause: error });
    throw error;
  }
}

async function wishOf(name: string, options: StartOptions): Promise<Session> {
  const { accelerator, machine, image, disk, repository, ref, data, idle, hours, region } = options;
  const written = {
    name,
    ...{ accelerators: accelerator, machine, image, disk, repository, ref, data },
    ...{ idleMinutes: idle, hours, regions: region },
  };
  const isLocal = config().localCloud !== undefined;
  return readWish(isLocal ? await withRepository(written, process.cwd()) : written, { allowFile: isLocal });
}

/** @throws Refusal if nothing would come of it */
async function quoteOf({ records, prices, config }: OpenSessions, session: Session): Promise<string> {
  const quote = await quoteSession(session, { records, prices, regions: config.regions }, Date.now());
  if ('refusal' in quote) throw new Refusal(`It would be refused: ${quote.refusal}.`);
  const soldOut = quote.isSoldOut ? [pc.yellow('All zones were sold out a moment ago; it may fail.')] : [];
  return [costWords(session, quote.candidate, prices), ...soldOut].join('\n');
}
