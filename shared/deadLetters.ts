import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { NotYet } from './once.ts';
import type { Publish } from './publish.ts';
import { readFolder, type Unreadable } from './storage/readFolder.ts';
import type { Records } from './storage/records.ts';

const time = z.iso.datetime();

/** A message that was given up after all its attempts: kept until somebody has mended the cause and sends it again. */
export const DeadLetter = z.object({
  id: z.string(),
  /** The function that did not manage it. */
  function: z.string(),
  /** Where it is published again; missing if there is no such function any more. */
  topic: z.string().optional(),
  messageId: z.string(),
  publishedAt: z.string().optional(),
  /** When it was given up. */
  deadAt: time,
  attempts: z.number().optional(),
  attributes: z.record(z.string(), z.string()),
  orderingKey: z.string().optional(),
  /** As it was published, base64. */
  data: z.string(),
  replay: z
    .object({
      by: z.string(),
      at: time,
      /** It was published again; before, somebody is at it, or has died. */
      isDone: z.boolean(),
      token: z.string(),
    })
    .optional(),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

const folder = 'dead-letters/';
export const deadLetterName = (id: string) => `${folder}${id}.json`;

/** Message ids are numbers at Google; whatever else they might be, they make no folder of their own. */
export const deadLetterId = (messageId: string): string =>
  /^[\w-]{1,64}$/.test(messageId) ? messageId : createHash('sha256').update(messageId).digest('hex');

/** Delivered again, it is there already. */
export async function keepDeadLetter(records: Records, letter: DeadLetter): Promise<void> {
  await records.write(deadLetterName(letter.id), letter, '0');
}

/** All that were kept, those that were sent again as well; the last one first. */
export async function listDeadLetters(
  records: Records,
): Promise<{ letters: DeadLetter[]; unreadable: Unreadable[] }> {
  const { found, unreadable } = await readFolder(records, folder, (id) => readDeadLetter(records, id));
  return { letters: found.sort((one, other) => (one.deadAt < other.deadAt ? 1 : -1)), unreadable };
}

export async function readDeadLetter(records: Records, id: string): Promise<DeadLetter | undefined> {
  return (await records.read(deadLetterName(id), DeadLetter))?.value;
}

/** It cannot be sent again, for a reason that a person understands. */
export class NoReplay extends Error {
  override name = 'NoReplay';
}

/** Longer than publishing takes. */
const lease = 60_000;

/**
 * Publishes a message again, once: who is second is told that it was done. Who dies in the middle may have published it;
 * after a minute somebody may do it again, as every function can be called twice.
 * @throws NoReplay, or NotYet while somebody is at it
 * @returns undefined if there is no such letter
 */
export async function replayDeadLetter(
  { records, publish }: { records: Records; publish: Publish },
  id: string,
  by: string,
  now: number,
): Promise<DeadLetter | undefined> {
  const token = randomUUID();
  const claimed = await records.update(deadLetterName(id), DeadLetter, (before): DeadLetter | undefined => {
    if (!before) return undefined;
    const { topic, replay } = before;
    if (topic === undefined)
      throw new NoReplay(`there is no function ${before.function} any more that could take it`);
    if (replay?.isDone) throw new NoReplay(`it was sent again at ${replay.at}, by ${replay.by}`);
    if (replay && Date.parse(replay.at) + lease > now)
      throw new NotYet(`${replay.by} is sending it again just now`);
    return { ...before, replay: { by, at: new Date(now).toISOString(), isDone: false, token } };
  });
  if (!claimed?.topic) return undefined;
  const { topic, data, attributes, orderingKey } = claimed;
  try {
    const message = { data: Buffer.from(data, 'base64'), attributes };
    await publish(topic, [{ ...message, ...(orderingKey ? { orderingKey } : {}) }]);
  } catch (error) {
    await change(({ replay: _, ...letter }) => letter);
    throw error;
  }
  return change((letter) =>
    letter.replay ? { ...letter, replay: { ...letter.replay, isDone: true } } : letter,
  );

  function change(to: (letter: DeadLetter) => DeadLetter): Promise<DeadLetter | undefined> {
    return records.update(deadLetterName(id), DeadLetter, (letter): DeadLetter | undefined =>
      letter?.replay?.token === token ? to(letter) : undefined,
    );
  }
}
