import { idleMonth, stimuli } from './estimate.ts';
import { costOf } from './prices.ts';

const dollars = (amount: number) => `$${amount.toFixed(2)}`;

/** For whoever is about to deploy, and for docs/deploy.md. */
export function estimateRows(): { what: string; list: string; beyondFree: string }[] {
  const row = (what: string, cost: { list: number; beyondFree: number }) => ({
    what,
    list: dollars(cost.list),
    beyondFree: dollars(cost.beyondFree),
  });
  return [
    row('a month in which nobody does anything', costOf(idleMonth())),
    row('1,000 stimuli, half of them texts, brought and annotated, once', costOf(stimuli(1000))),
  ];
}

export const estimateWords = (): string =>
  [
    ...estimateRows().map(({ what, list, beyondFree }) => `${beyondFree.padStart(7)}  ${what} (${list})`),
    '',
    [
      'By Google’s list prices of the cheapest regions; in brackets, if nothing were free. Machines that people start for jobs',
      'come on top: each says beforehand what it may cost, and the budget guard stops what would go beyond your budget.',
    ].join(' '),
  ].join('\n');
