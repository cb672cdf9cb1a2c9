import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { idleMonth, stimuli } from '../../../../deploy/google/lab/estimate.ts';
import { estimateRows } from '../../../../deploy/google/lab/estimateWords.ts';
import { costOf } from '../../../../deploy/google/lab/prices.ts';

test('an idle lab is its clocks: every minute, every five, every hour, every day', () => {
  const month = idleMonth();
  // One of a minute alone calls 43,200 times in 30 days.
  expect(month.request).toBeGreaterThan(43_200);
  expect(month.clock).toBeGreaterThanOrEqual(6);
  expect(costOf(month).beyondFree).toBeLessThan(2);
  expect(costOf(month).beyondFree).toBeLessThan(costOf(month).list);
});

test('what stimuli cost is what Vision and Natural Language take, twice as much for twice as many', () => {
  const { list } = costOf(stimuli(1000));
  const annotating = costOf({
    imageObjects: 500,
    imageFeature: 1500,
    textSyntax: 1500,
    textEntities: 1500,
    textSentiment: 1500,
  });
  expect(annotating.list / list).toBeGreaterThan(0.9);
  expect(costOf(stimuli(2000)).list).toBeCloseTo(2 * list, 6);
});

test('docs/deploy.md and docs of what it costs have these very figures', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../../docs/deploy.md'), 'utf8');
  for (const { what, list, beyondFree } of estimateRows())
    expect(text).toContain(`| ${what} | ${beyondFree} | ${list} |`);
});
