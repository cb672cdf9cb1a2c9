import type { Command } from 'commander';
import { run } from '../run.ts';
import type { CostOptions } from './cost.ts';

/** `npx gazeline cost` */
export function addCostVerb(program: Command): void {
  program
    .command('cost')
    .description(
      'What is spent: now, today and in this period, by whom and for what, how long the money lasts, and what would be saved by what.',
    )
    .option('--dir <folder>', 'a lab that npm start runs there; else the GAZELINE_* environment, or lab/')
    .option('--json', 'for programs')
    .option('--all', 'long lists as a whole')
    .addHelpText(
      'after',
      '\nExit code: 0, or 2 for an error.\n\nExamples:\n  npx gazeline cost\n  npx gazeline cost --json | jq .spending.perHour',
    )
    .action(run<[CostOptions]>(async () => (await import('./cost.ts')).cost));
}
