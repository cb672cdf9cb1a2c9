#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { enableCompileCache } from 'node:module';
import { Command } from 'commander';
import { addCostVerb } from './cost/verbs.ts';
import { addDeadLetterVerbs } from './deadLetters/verbs.ts';
import { addExportVerbs } from './export/verbs.ts';
import { addGuardVerbs } from './guard/verbs.ts';
import { addJobVerbs } from './job/verbs.ts';
import { addMachineVerbs } from './machines/verbs.ts';
import { positive, whole } from './numbers.ts';
import { run } from './run.ts';
import { addSessionVerbs } from './session/verbs.ts';
import type { NowOptions } from './sync/now.ts';
import type { PlanOptions } from './sync/plan.ts';
import type { StatusOptions } from './sync/status.ts';
import type { VerifyOptions } from './sync/verify.ts';

// Much of a start is compiling Google's libraries: it is done once.
enableCompileCache();

// Whoever reads our output may have seen enough: `npx gazeline sync verify | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const program = new Command('gazeline')
  .description('Looks after a Gazeline lab.')
  .showHelpAfterError()
  // Its 1 for a misspelled option would read as “something differs”.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
const sync = program
  .command('sync')
  .description('the way of the files from the study folder in Drive to the raw bucket')
  .showHelpAfterError('(npx gazeline sync --help)');

const verb = (name: string, description: string, exits: string, examples: string[]) =>
  sync
    .command(name)
    .description(description)
    .option('--dir <folder>', 'a lab that npm start runs there; else the GAZELINE_* environment, or lab/')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `\n${exits}\n\nExamples:\n${examples.map((one) => `  npx gazeline sync ${one}`).join('\n')}`,
    );

verb(
  'status',
  'Is the sync healthy, what did it do, and what waits for you?',
  'Exit code: 0 if it works, 1 if it needs somebody, 2 for an error.',
  ['status', 'status --json | jq .held'],
)
  .option('--runs <number>', 'so many of the last runs', whole, 5)
  .option('--all', 'long lists as a whole')
  .action(run<[StatusOptions]>(async () => (await import('./sync/status.ts')).status));

verb(
  'plan',
  'Says what `now` would do, and why, file by file. Nothing is written. --json prints one JSON object a line, the summary last.',
  'Exit code: 0, whether or not there is something to do; 2 for an error.',
  ['plan', 'plan --json | jq -r \'select(.do == "retire").name\''],
).action(run<[PlanOptions]>(async () => (await import('./sync/plan.ts')).plan));

verb(
  'verify',
  'Compares the whole study folder with the bucket. Nothing is written. --json prints one JSON object a line, the summary last.',
  'Exit code: 0 if all is identical or left out on purpose, 1 if something differs, 2 for an error.',
  ['verify', 'verify --combined > report.txt'],
)
  .option(
    '--combined',
    'a line for each file, with the marks of rclone check: = identical, + missing in the bucket, - only there, * different, ! error; and ~ skipped',
  )
  .action(run<[VerifyOptions]>(async () => (await import('./sync/verify.ts')).verify));

verb(
  'now',
  'Reads the changes and compares the whole tree now, and shows how far that is.',
  'Exit code: 0 when it is done, 1 if something is still open, 2 for an error, 130 after Ctrl-C: the work goes on without you.',
  ['now', 'now --no-wait', 'now --approve-removals --yes'],
)
  .option('--no-wait', 'only ask for it')
  .option('--timeout <minutes>', 'give up watching when nothing has moved for so long', positive, 10)
  .option('--approve-removals', 'agree to the removals that wait for an answer')
  .option('--yes', 'do not ask whether they are meant')
  .action(run<[NowOptions]>(async () => (await import('./sync/now.ts')).now));

addJobVerbs(program);
addExportVerbs(program);
addCostVerb(program);
addGuardVerbs(program);
addMachineVerbs(program);
addDeadLetterVerbs(program);
addSessionVerbs(program);

await program.parseAsync();
