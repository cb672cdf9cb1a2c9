import type { Command } from 'commander';
import { positive, whole } from '../numbers.ts';
import { run } from '../run.ts';
import { verbsOf } from '../verbs.ts';
import type { NowOptions } from './now.ts';
import type { PlanOptions } from './plan.ts';
import type { StatusOptions } from './status.ts';
import type { VerifyOptions } from './verify.ts';

/** `npx gazeline sync …` */
export function addSyncVerbs(program: Command): void {
  const verb = verbsOf(
    program,
    'sync',
    'the way of the files from the study folder in Drive to the raw bucket',
  );

  verb(
    'status',
    'Is the sync healthy, what did it do, and what waits for you?',
    'Exit code: 0 if it works, 1 if it needs somebody, 2 for an error.',
    ['status', 'status --json | jq .held'],
  )
    .option('--runs <number>', 'so many of the last runs', whole, 5)
    .option('--all', 'long lists as a whole')
    .action(run<[StatusOptions]>(async () => (await import('./status.ts')).status));

  verb(
    'plan',
    'Says what `now` would do, and why, file by file. Nothing is written. --json prints one JSON object a line, the summary last.',
    'Exit code: 0, whether or not there is something to do; 2 for an error.',
    ['plan', 'plan --json | jq -r \'select(.do == "retire").name\''],
  ).action(run<[PlanOptions]>(async () => (await import('./plan.ts')).plan));

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
    .action(run<[VerifyOptions]>(async () => (await import('./verify.ts')).verify));

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
    .action(run<[NowOptions]>(async () => (await import('./now.ts')).now));
}
