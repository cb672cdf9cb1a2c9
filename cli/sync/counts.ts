import type { Outcome } from '../../shared/drive/runs.ts';

const words: Record<Outcome['did'], string> = {
  synced: 'synced',
  renamed: 'renamed',
  described: 'described anew',
  removed: 'removed',
  nothing: 'unchanged',
  skipped: 'skipped',
  held: 'held',
  'handed on': 'handed on',
  failed: 'tried again',
};

/** `3 synced, 1 renamed`, always in the same order. */
export const wordsOfCounts = (counts: Record<string, number>) =>
  Object.entries(words)
    .flatMap(([did, word]) => (counts[did] ? [`${counts[did]} ${word}`] : []))
    .join(', ');
