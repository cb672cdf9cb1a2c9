import { median, table } from '../report.ts';
import type { Outcome, PolicyName } from './simulate.ts';

/** What came of one policy, lab by lab. */
export type Row = { policy: PolicyName; outcomes: Outcome[] };

const sum = (values: number[]) => values.reduce((all, one) => all + one, 0);
const dollars = (amount: number) => `$${amount.toFixed(amount < 100 ? 1 : 0)}`;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const killedBy = (outcomes: Outcome[], is: (cause: string) => boolean) =>
  sum(outcomes.map(({ killed }) => killed.filter(({ cause }) => is(cause)).length));
const byIdleStop = (cause: string) => cause === 'idle';
const byBudget = (cause: string) => cause === 'budget';

/** Of the hours that machines idle if nobody does anything. */
export const savedOf = (outcomes: Outcome[], without: Outcome[]): number =>
  1 - sum(outcomes.map(({ idle }) => idle.hours)) / sum(without.map(({ idle }) => idle.hours));

export function idleTable(rows: Row[]): string {
  const without = rows.find(({ policy }) => policy === 'nothing')?.outcomes ?? [];
  return table(
    ['', 'spent', 'on idle machines', 'idle hours saved', 'live work killed', 'found it off'],
    rows.map(({ policy, outcomes }) => [
      policy,
      dollars(median(outcomes.map(({ spent }) => spent))),
      dollars(median(outcomes.map(({ idle }) => idle.money))),
      policy === 'nothing' ? '' : percent(savedOf(outcomes, without)),
      killedBy(outcomes, byIdleStop),
      sum(outcomes.map(({ foundOff }) => foundOff)),
    ]),
  );
}

export function budgetTable(rows: Row[]): string {
  return table(
    ['', 'spent', 'beyond the budget', 'at most', 'allowed', 'ended with it', 'killed as idle'],
    rows.map(({ policy, outcomes }) => [
      policy,
      dollars(median(outcomes.map(({ spent }) => spent))),
      dollars(median(outcomes.map(({ beyond }) => beyond))),
      dollars(Math.max(...outcomes.map(({ beyond }) => beyond))),
      dollars(median(outcomes.map(({ allowed }) => allowed))),
      killedBy(outcomes, byBudget),
      killedBy(outcomes, byIdleStop),
    ]),
  );
}

/** What was aimed at, and whether it was reached; in words. */
export function targetsOf(calm: Row[], burst: Row[]): string[] {
  const without = calm.find(({ policy }) => policy === 'nothing')?.outcomes ?? [];
  const verdict = (isReached: boolean) => (isReached ? 'reached' : 'MISSED');
  return calm
    .filter(({ policy }) => policy.startsWith('Gazeline'))
    .flatMap(({ policy, outcomes }) => {
      const bursts = burst.find((row) => row.policy === policy)?.outcomes ?? [];
      const killed = killedBy([...outcomes, ...bursts], byIdleStop);
      const saved = savedOf(outcomes, without);
      const over = bursts.filter(({ beyond, allowed }) => beyond > allowed).length;
      return [
        `${policy}: 90 % of the idle hours saved: ${verdict(saved >= 0.9)} (${percent(saved)})`,
        `${policy}: no live work killed as idle: ${verdict(killed === 0)} (${killed})`,
        `${policy}: within 1 % of the budget and ten minutes: ${verdict(over === 0)} (${over} of ${bursts.length} labs beyond)`,
      ];
    });
}
