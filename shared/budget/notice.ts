import type { GuardRecord, Result, Step } from './guardRecord.ts';
import type { Level } from './levels.ts';

/** What people are told, on the topic `guard-notices`, by a webhook, and wherever else somebody listens. */
export type Notice = {
  project: string;
  level: Exclude<Level, 'open'>;
  /** `raised`: the level was reached, and what it does begins now; `done`: this came of it. */
  kind: 'raised' | 'done';
  /** A sentence or two, for a person. */
  words: string;
  reason: string;
  at: string;
  period: { start: string; end: string };
  results: Result[];
};

const meaning: { [level in Step['level']]: string } = {
  warned: 'Nothing is stopped yet.',
  'no-new-work': 'No new jobs are started.',
  'stop-idle': 'No new jobs are started, and idle machines are stopped.',
  'stop-all':
    'All machines are stopped, except those that are labelled gazeline-protect. Jobs save a checkpoint first, and go on later.',
  detached: 'The project is to be detached from its billing account, which stops everything in it.',
};

export function noticeOf(
  { period }: Pick<GuardRecord, 'period'>,
  step: Step,
  kind: Notice['kind'],
  { project, at }: { project: string; at: string },
): Notice {
  const { level, reason, results } = step;
  const lifts = `A new period begins on ${period.end}; a person can release it before.`;
  const words =
    kind === 'raised'
      ? `Budget guard of ${project}: ${level}. ${capital(reason)}. ${meaning[level]} ${lifts}`
      : `Budget guard of ${project}, ${level}: ${countsOf(results)}.`;
  return { project, level, kind, words, reason, at, period, results };
}

function countsOf(results: Result[]): string {
  const counts = [...Map.groupBy(results, ({ outcome }) => outcome)].map(
    ([outcome, some]) => `${some.length} ${outcome}`,
  );
  const failed = results.filter(({ outcome }) => outcome === 'failed').slice(0, 5);
  const why = failed.map(({ what, words = 'no reason is known' }) => `${what}: ${words}`);
  return [counts.join(', ') || 'there was nothing to do', ...why].join('; ');
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
