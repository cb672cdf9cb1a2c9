import * as z from 'zod';
import {
  DeadLetter,
  listDeadLetters,
  NoReplay,
  readDeadLetter,
  replayDeadLetter,
} from '../../deadLetters.ts';
import { cutPage, Paging, pageOfRecords } from '../paging.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';

const Shown = DeadLetter.omit({ data: true, replay: true, attributes: true }).extend({
  replayed: z.object({ by: z.string(), at: z.string() }).optional().describe('It was sent again.'),
});

const Whole = Shown.extend({
  attributes: DeadLetter.shape.attributes,
  data: z.json().describe('The message; as text if it is no JSON.'),
});

const parameters = z.strictObject({
  id: z.string().regex(/^[\w-]{1,64}$/, 'expected the id of a dead letter'),
});
const missing = (id: string) => new Refused(404, `There is no dead letter ${id}.`);

export const deadLetterRoutes: Route[] = [
  route({
    id: 'listDeadLetters',
    method: 'GET',
    path: '/v1/dead-letters',
    role: 'admin',
    summary: 'Messages that were given up after all their attempts, the last one first.',
    query: z.strictObject(Paging),
    answer: pageOfRecords(Shown),
    async handle({ query, log }, { records }) {
      const { letters, unreadable } = await listDeadLetters(records);
      for (const one of unreadable) log.error('a dead letter cannot be read', one);
      const { items, ...rest } = cutPage(
        letters,
        query,
        ({ deadAt, id }) => `${String(8.64e15 - Date.parse(deadAt)).padStart(16, '0')} ${id}`,
      );
      return { items: items.map(shown), ...rest, unreadable };
    },
  }),

  route({
    id: 'getDeadLetter',
    method: 'GET',
    path: '/v1/dead-letters/{id}',
    role: 'admin',
    summary: 'A message that was given up, whole.',
    parameters,
    answer: Whole,
    async handle({ path: { id } }, { records }) {
      const letter = await readDeadLetter(records, id);
      if (!letter) throw missing(id);
      return { ...shown(letter), attributes: letter.attributes, data: contentOf(letter) };
    },
  }),

  route({
    id: 'replayDeadLetter',
    method: 'POST',
    path: '/v1/dead-letters/{id}/replay',
    role: 'admin',
    summary: 'Sends it again, once, after its cause was mended.',
    parameters,
    answer: Shown,
    status: 202,
    async handle({ path: { id }, caller }, { records, publish, now }) {
      const letter = await replayDeadLetter({ records, publish }, id, caller.person, now()).catch(
        (error: unknown) => {
          throw error instanceof NoReplay ? new Refused(409, `It is not sent: ${error.message}.`) : error;
        },
      );
      if (!letter) throw missing(id);
      return shown(letter);
    },
  }),
];

function shown({ data: _, attributes: __, replay, ...letter }: DeadLetter): z.infer<typeof Shown> {
  return { ...letter, ...(replay?.isDone ? { replayed: { by: replay.by, at: replay.at } } : {}) };
}

function contentOf({ data }: DeadLetter): z.infer<typeof Whole>['data'] {
  const text = Buffer.from(data, 'base64').toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
