import Table from 'cli-table3';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { type DeadLetter, listDeadLetters } from '../../shared/deadLetters.ts';
import { connect, type Where } from '../connect.ts';
import { ago } from '../duration.ts';
import { tellUnreadable } from '../tellUnreadable.ts';
import { openLetters } from './open.ts';

export type ListOptions = Where & { json?: true; all?: true };

/** @returns the exit code: 1 if there is one that was not sent again, or that cannot be read */
export async function list({ json, all, ...where }: ListOptions): Promise<number> {
  await connect(where);
  const { records } = await openLetters();
  const { letters, unreadable } = await listDeadLetters(records);
  const exitCode = tellUnreadable(unreadable);
  const open = letters.filter(({ replay }) => !replay?.isDone);
  const shown = all ? letters : open;
  if (json) console.log(JSON.stringify(shown.map(summaryOf), undefined, 2));
  else if (shown.length > 0) console.log(tableOf(shown, Date.now()));
  else if (exitCode === 0) console.log(`${pc.green('✓')} No message was given up.`);
  return open.length > 0 ? 1 : exitCode;
}

const summaryOf = ({ data: _, attributes: __, ...letter }: DeadLetter) => letter;

function tableOf(letters: DeadLetter[], now: number): string {
  const table = new Table({
    head: ['id', 'function', 'published', 'given up', 'attempts', ''],
    style: { head: [], border: [], compact: true },
  });
  for (const { id, function: name, publishedAt, deadAt, attempts, replay } of letters)
    table.push([
      id,
      clean(name),
      publishedAt ? ago(publishedAt, now) : '',
      ago(deadAt, now),
      attempts ?? '',
      replay?.isDone ? pc.dim(clean(`sent again ${ago(replay.at, now)} by ${replay.by}`)) : '',
    ]);
  return table.toString();
}
