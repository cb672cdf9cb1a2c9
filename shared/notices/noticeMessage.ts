import * as z from 'zod';
import type { Posted } from './board.ts';

const text = z.string().transform((text) => text.slice(0, 4000));

/**
 * What comes by the topic `guard-notices`: of the budget guard (`Notice`), of the idle stop (`IdleNotice`), or
 * `{ "check": {} }` of whoever wants the file to be looked at again.
 */
export const NoticeMessage = z.union([
  z.object({ check: z.object({}) }),
  z.object({
    kind: z.string(),
    words: text,
    at: z.iso.datetime(),
    level: z.string().optional(),
    results: z.array(z.object({ what: text, outcome: text, words: text.optional() })).default([]),
    machines: z
      .array(
        z.object({ what: text, why: text, stopAt: z.string().optional(), outcome: z.string().optional() }),
      )
      .default([]),
  }),
]);
export type NoticeMessage = z.infer<typeof NoticeMessage>;

const mostLines = 30;

export function postedOf(notice: Exclude<NoticeMessage, { check: object }>, id: string): Posted {
  const { kind, words, at, results, machines } = notice;
  const all = [
    ...results.map(({ what, outcome, words }) => `${what}: ${outcome}${words ? `, ${words}` : ''}`),
    ...machines.map(({ what, why, stopAt, outcome }) =>
      [
        `${what}: ${outcome ?? (kind === 'tpu-unwatched' ? 'up' : 'idle')}`,
        ...(stopAt ? [`stopped at ${stopAt}`] : []),
        why,
      ].join(', '),
    ),
  ];
  const more = all.length > mostLines ? [`and ${all.length - mostLines} more`] : [];
  return { id, at, title: titleOf(notice), words, lines: [...all.slice(0, mostLines), ...more] };

  function titleOf({ level }: typeof notice): string {
    if (kind === 'idle-warning') return 'machines are idle, and will be stopped';
    if (kind === 'idle-done') return 'idle machines';
    if (kind === 'tpu-unwatched') return 'TPUs are up, and nobody knows whether they are used';
    return kind === 'raised' ? `the budget guard is at ${level}` : `the budget guard has done ${level}`;
  }
}
