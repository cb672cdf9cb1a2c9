import pc from 'picocolors';
import { listDeadLetters, NoReplay, replayDeadLetter } from '../../shared/deadLetters.ts';
import { NotYet } from '../../shared/once.ts';
import { Refusal } from '../../shared/refusal.ts';
import { userName } from '../../shared/userName.ts';
import { connect, type Where } from '../connect.ts';
import { tellUnreadable } from '../tellUnreadable.ts';
import { openLetters } from './open.ts';

export type ReplayOptions = Where & { json?: true; all?: true };

/** @returns the exit code: 1 if one was not sent, or cannot be read */
export async function replay(ids: string[], { json, all, ...where }: ReplayOptions): Promise<number> {
  if (all ? ids.length > 0 : ids.length === 0) throw new Refusal('Name the ids, or say --all.');
  await connect(where);
  const letters = await openLetters();
  const { letters: kept, unreadable } = all
    ? await listDeadLetters(letters.records)
    : { letters: [], unreadable: [] };
  const exitCode = tellUnreadable(unreadable);
  const wanted = all ? kept.filter(({ replay }) => !replay?.isDone).map(({ id }) => id) : ids;
  const sent: string[] = [];
  for (const id of wanted) {
    try {
      const letter = await replayDeadLetter(letters, id, userName(), Date.now());
      if (!letter) throw new NoReplay('there is none');
      sent.push(id);
      if (!json) console.log(`${pc.green('✓')} ${id} was sent again to ${letter.function}.`);
    } catch (error) {
      if (!(error instanceof NoReplay || error instanceof NotYet)) throw error;
      console.error(pc.red(`${id} was not sent: ${error.message}.`));
    }
  }
  if (json) console.log(JSON.stringify({ sent }));
  else if (wanted.length === 0 && exitCode === 0) console.log('No message was given up.');
  return sent.length === wanted.length ? exitCode : 1;
}
