import { inspect } from 'node:util';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { readDeadLetter } from '../../shared/deadLetters.ts';
import { Refusal } from '../../shared/refusal.ts';
import { connect, type Where } from '../connect.ts';
import { localTime } from '../job/localTime.ts';
import { row } from '../job/row.ts';
import { openLetters } from './open.ts';

export type ShowOptions = Where & { json?: true };

/** @returns the exit code */
export async function show(id: string, { json, ...where }: ShowOptions): Promise<number> {
  await connect(where);
  const { records } = await openLetters();
  const letter = await readDeadLetter(records, id);
  if (!letter) throw new Refusal(`There is no dead letter ${id}. npx gazeline dead-letters list shows them.`);
  const text = Buffer.from(letter.data, 'base64').toString();
  if (json) {
    console.log(JSON.stringify({ ...letter, data: text }, undefined, 2));
    return 0;
  }
  const { function: name, topic, publishedAt, deadAt, attempts, attributes, orderingKey, replay } = letter;
  console.log(
    [
      `${pc.bold(id)} of ${clean(name)}`,
      row('topic', topic ?? 'none: there is no such function any more'),
      ...(publishedAt ? [row('published', localTime(publishedAt))] : []),
      row('given up', `${localTime(deadAt)}${attempts ? `, after ${attempts} attempts` : ''}`),
      ...(orderingKey ? [row('key', clean(orderingKey))] : []),
      ...Object.entries(attributes).map(([key, value]) => row('attribute', clean(`${key}: ${value}`))),
      ...(replay?.isDone ? [row('sent again', clean(`${localTime(replay.at)} by ${replay.by}`))] : []),
      // Quoted: it may hold anything.
      row('message', inspect(text, { maxStringLength: 5000, breakLength: Number.POSITIVE_INFINITY })),
      ...(replay?.isDone
        ? []
        : [pc.dim(`npx gazeline dead-letters replay ${id}    sends it again, once its cause is mended`)]),
    ].join('\n'),
  );
  return 0;
}
