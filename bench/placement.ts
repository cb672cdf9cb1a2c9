import { Command, Option } from 'commander';
import { startProgress, whole } from './measuring.ts';
import { coldStart, delivery } from './placement/gazeline.ts';
import { openLab } from './placement/lab.ts';
import { returns } from './placement/returns.ts';
import { sellOut } from './placement/sellOuts.ts';
import { storageLatency } from './placement/simulatedTime.ts';
import { spotMoney } from './placement/spotMoney.ts';
import { drawn, latency } from './placement/world.ts';

/*
 * How long it takes, and how many calls, until a machine runs when most zones are sold out; and what spot machines save.
 * Beside small models of SkyPilot and dstack, in the same drawn worlds, by the same simulated clock.
 */
type Options = { seed: number; seeds: number; only?: 'sell-outs' | 'troubles' | 'returns' | 'money' };

const { seed, seeds, only } = new Command('npm run bench:placement --')
  .description('Simulates sell-outs of 40 zones and preemptions, for Gazeline and for models of its peers.')
  .option('--seed <number>', 'the first seed', whole, 1)
  .option('--seeds <number>', 'how many worlds are drawn', whole, 20)
  .addOption(
    new Option('--only <case>', 'one of the cases').choices(['sell-outs', 'troubles', 'returns', 'money']),
  )
  .parse()
  .opts<Options>();

const all = Array.from({ length: seeds }, (_, index) => seed + index);
const wanted = (name: NonNullable<Options['only']>) => only === undefined || only === name;
const progress = startProgress();
const cases: string[] = [];
const lab = await openLab();
try {
  if (wanted('sell-outs'))
    for (const percent of [0, 50, 95]) {
      progress(`${percent} % sold out`);
      cases.push(
        await sellOut(lab, all, `${percent} % of 40 zones are sold out`, { soldOut: percent / 100 }),
      );
    }
  if (wanted('troubles')) {
    progress('late answers');
    const late = '50 % of 40 zones are sold out, and one refusal in ten takes 1 to 10 minutes';
    cases.push(await sellOut(lab, all, late, { soldOut: 0.5, late: 0.1 }));
    progress('no quota');
    const quota = '50 % are sold out, and 6 of 17 regions have no quota';
    cases.push(await sellOut(lab, all, quota, { soldOut: 0.5, withoutQuota: 6 }));
  }
  if (wanted('returns')) {
    progress('all sold out for a while');
    cases.push(await returns(lab, all, [5, 30]));
    cases.push(await returns(lab, all, [60, 180]));
  }
  // No machine is asked for here: it costs nothing to draw more of them.
  if (wanted('money'))
    cases.push(
      spotMoney(
        Array.from({ length: 50 * seeds }, (_, index) => seed + index),
        6,
      ),
    );
} finally {
  await lab.close();
}

console.log(
  [
    `\
npm run bench:placement -- --seed ${seed} --seeds ${seeds}

Gazeline        functions/job-start.ts and machine-sweep.ts, their records in the local Cloud Storage, their requests by
                Google's client to the local Compute Engine, which refuses and makes machines in Google's words. Only time
                is simulated: nothing is scaled, the clock goes on by what is said here. A request takes ${latency / 1000} s, one to
                storage ${storageLatency / 1000} s, a message ${delivery / 1000} s, the first instance of a job ${coldStart / 1000} s more; the sweep comes each minute.
SkyPilot-like   bench/placement/skypilotLike.ts: zone after zone, 300 s each at most, nothing remembered.
dstack-like     bench/placement/dstackLike.ts: zone after zone, 30 s each at most, nothing remembered.

Of the models only requests to Compute Engine and their own pauses take time. These times are assumed, none was measured at Google.

${drawn}
Times and calls are medians of ${seeds} worlds; ratios are medians of the ratios world by world. “Hints” are read by Gazeline alone.`,
    ...cases,
  ].join('\n\n'),
);
// Of the clients, connections are kept open.
process.exit();
