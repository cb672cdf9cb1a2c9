import { Command } from 'commander';
import { startProgress, whole } from './measuring.ts';
import { drawn } from './month/agenda.ts';
import { troubles } from './month/gazeline.ts';
import { budgetTable, idleTable, type Row, targetsOf } from './month/report.ts';
import { lost } from './month/signs.ts';
import { policies, simulate } from './month/simulate.ts';

/*
 * A month of a lab in seconds: what is wasted on machines that nobody uses, what is spent beyond the budget, and what is
 * killed that was alive. Side by side, with the same people on the same days.
 */
type Options = { seed: number; seeds: number; days: number; budget: number };

const { seed, seeds, days, budget } = new Command('npm run bench:month --')
  .description('Simulates months of labs: forgotten machines, and a burst of 8 × A100.')
  .option('--seed <number>', 'the first seed', whole, 1)
  .option('--seeds <number>', 'how many labs are drawn', whole, 1)
  .option('--days <number>', 'of the month', whole, 30)
  .option('--budget <dollars>', 'of the month', whole, 1200)
  .parse()
  .opts<Options>();

const all = Array.from({ length: seeds }, (_, index) => seed + index);
const progress = startProgress();

async function rowsOf(burst: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const policy of policies) {
    progress(`${burst ? 'a burst' : 'a month'}: ${policy}`);
    const row: Row = { policy, outcomes: [] };
    // Without a burst, the budget is ample: what is measured is what is forgotten.
    const amount = burst ? budget : 100 * budget;
    for (const one of all)
      row.outcomes.push(await simulate(policy, { seed: one, days, budget: amount, burst }));
    rows.push(row);
  }
  return rows;
}

const calm = await rowsOf(false);
const burst = await rowsOf(true);
console.log(`
npm run bench:month -- --seed ${seed} --seeds ${seeds} --days ${days} --budget ${budget}

${drawn}

Real are: functions/idle-sweep.ts, cost-tick.ts and budget-guard.ts with all that decides in them, and shared/machines/'s
Compute Engine under them; the local Billing (what runs is metered by the hour, known 1 to 24 hours late, told every 20 to 40
minutes, sometimes twice and in another order); the local Monitoring's timeSeries.list, four minutes late. Simulated are the
clock, people and machines; the answers of Compute Engine come from a model in this process, not from the local cloud's
sockets, and records are kept in memory. ${100 * lost} % of the measurements are lost, Monitoring is down for two hours and fails
${100 * troubles.monitoring} % of the rest, a zone does not answer one look in ${1 / troubles.zone}, and of the ticks ${100 * troubles.tick} % are missed and ${100 * troubles.twice} % come twice.
Settings are the defaults, but GAZELINE_BUDGET_THRESHOLDS="stop-all=1". All that is wasted and killed is known by the truth of
the simulation. Nobody reads a warning, and nobody but their owners starts or stops a machine by hand.

A month of ${seeds === 1 ? 'one lab' : `${seeds} labs`}; dollars are medians, work and times that somebody found their machine off are of all labs together.
${idleTable(calm)}

The same with a budget of $${budget}, and 8 × A100 that somebody with a stolen key starts in the second half. When everything was
stopped, nobody starts a machine until the month is over; work that was alive then is “ended with it”. Allowed is 1 % of the budget and ten
minutes of what ran when it was spent.
${budgetTable(burst)}

${targetsOf(calm, burst).join('\n')}`);
