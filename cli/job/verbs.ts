import type { Command } from 'commander';
import { positive, whole } from '../numbers.ts';
import { run } from '../run.ts';
import { verbsOf } from '../verbs.ts';
import type { CancelOptions } from './cancel.ts';
import type { ListOptions } from './list.ts';
import type { LogsOptions } from './logs.ts';
import type { RetryOptions } from './retry.ts';
import type { ShowOptions } from './show.ts';
import type { SubmitOptions } from './submit.ts';

/** `npx gazeline job …` */
export function addJobVerbs(program: Command): void {
  const verb = verbsOf(program, 'job', 'heavy work: on machines that come for it, report, and leave');
  const ofJob = 'An ID may be shortened to a beginning that no other job has.';

  verb(
    'submit',
    'Starts a job that a file describes, after it has said what it may cost and you have said yes.\n' +
      'On a laptop its repository may be a folder, as “.”, counted from where the file lies.',
    'Exit code: 0 when it is submitted, 1 if you said no, 2 for an error, as a job that is not right. With --follow that of logs -f.',
    ['submit train.job.yaml', 'submit train.job.yaml --yes --follow', 'submit - --yes < train.job.yaml'],
  )
    .argument('<file>', 'YAML or JSON; - for standard input')
    .option('--yes', 'do not ask whether it is meant')
    .option(
      '--key <text>',
      'a text of your own for this job: with the same key it is the same job, not another one',
    )
    .option('-f, --follow', 'then show its log until it is over')
    .action(run<[string, SubmitOptions]>(async () => (await import('./submit.ts')).submit));

  verb('list', 'Jobs, the newest first.', 'Exit code: 0, 1 if not all could be read, 2 for an error.', [
    'list',
    'list --json --all | jq -r \'.[] | select(.state == "failed").id\'',
  ])
    .option('--all', 'all there are, not only the last 20')
    .action(run<[ListOptions]>(async () => (await import('./list.ts')).list));

  verb(
    'show',
    `All that is known of a job: what is asked for, each machine, what it cost, its history, its results. ${ofJob}`,
    'Exit code: 0, whatever its state is; 2 for an error.',
    ['show train-1f0c', 'show train-1f0c --json | jq .record.state'],
  )
    .argument('<id>')
    .option('--all', 'long lists as a whole')
    .action(run<[string, ShowOptions]>(async () => (await import('./show.ts')).show));

  verb(
    'logs',
    `What the work of a job has printed, on all of its machines one after the other. ${ofJob}`,
    'Exit code: 0; with -f 0 if the job succeeded, and 1 if it ended otherwise; 2 for an error, 130 after Ctrl-C: the job goes on without you.',
    ['logs train-1f0c -f', 'logs train-1f0c --attempt 2 > log.txt'],
  )
    .argument('<id>')
    .option('-f, --follow', 'until the job is over; what happens to it is shown on standard error')
    .option('--attempt <number>', 'of one machine only', whole)
    .action(run<[string, LogsOptions]>(async () => (await import('./logs.ts')).logs));

  verb(
    'cancel',
    `Ends a job and its machine, and waits until nothing of it is left. ${ofJob}`,
    'Exit code: 0 when it is cancelled, 1 if not (yet), 2 for an error, 130 after Ctrl-C: it is cancelled without you.',
    ['cancel train-1f0c', 'cancel train-1f0c --yes --no-wait'],
  )
    .argument('<id>')
    .option('--yes', 'do not ask whether it is meant')
    .option('--no-wait', 'only ask for it')
    .option('--timeout <minutes>', 'wait no longer than this', positive, 10)
    .action(run<[string, CancelOptions]>(async () => (await import('./cancel.ts')).cancel));

  verb('retry', `Starts the same work once more, as a new job. ${ofJob}`, 'Exit code: as of submit.', [
    'retry train-1f0c',
    'retry train-1f0c --yes --follow',
  ])
    .argument('<id>')
    .option('--yes', 'do not ask whether it is meant')
    .option('-f, --follow', 'then show its log until it is over')
    .action(run<[string, RetryOptions]>(async () => (await import('./retry.ts')).retry));
}
