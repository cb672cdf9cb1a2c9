import { summaryOf } from '../../shared/sessions/summary.ts';
import { connect, type Where } from '../connect.ts';
import { findSession, openSessions } from './open.ts';
import { showWords } from './showWords.ts';

export type ShowOptions = Where & { json?: true };

/** @returns the exit code */
export async function show(name: string, { json, ...where }: ShowOptions): Promise<number> {
  await connect(where);
  const sessions = await openSessions();
  const { prices, config } = sessions;
  const record = await findSession(sessions, name);
  if (json) console.log(JSON.stringify({ ...summaryOf(record, prices), record }, undefined, 2));
  else console.log(showWords(record, prices, Date.now(), config.localCloud !== undefined));
  return 0;
}
