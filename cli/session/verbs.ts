import type { Command } from 'commander';
import { positive, whole } from '../numbers.ts';
import { run } from '../run.ts';
import { verbsOf } from '../verbs.ts';
import type { ListOptions } from './list.ts';
import type { ProlongOptions } from './prolong.ts';
import type { RunOptions } from './run.ts';
import type { ShowOptions } from './show.ts';
import type { StartOptions } from './start.ts';
import type { WishOptions } from './wish.ts';

const collect = (value: string, before: string[] = []) => [...before, ...value.split(',').filter(Boolean)];

/** `npx gazeline session …` */
export function addSessionVerbs(program: Command): void {
  const verb = verbsOf(program, 'session', 'notebook machines that people work on, whose disks are kept');
  const watched = (command: ReturnType<typeof verb>) =>
    command
      .option('--no-wait', 'only ask for it')
      .option('--timeout <minutes>', 'watch no longer than this', positive, 20);
  const exits = (what: string) =>
    `Exit code: 0 when it ${what}, 1 if not (yet), 2 for an error, 130 after Ctrl-C: it goes on without you.`;

  watched(
    verb(
      'start',
      'Makes a session, after it has said what it may cost and you have said yes. Zones are asked one after the other.',
      exits('runs'),
      [
        'start pupils --accelerator L4 --repository https://github.com/lab/analysis --data raw/recordings/',
        'start quick --yes --hours 2',
      ],
    ),
  )
    .argument('<name>', 'lower-case letters, digits and -')
    .option('-a, --accelerator <name>', 'L4, A100:2, cpu:8; several, the best first', collect)
    .option('--machine <type>', 'another machine type than usual, as n1-standard-16')
    .option('--image <name>', 'workbench, container or container-slim')
    .option('--disk <gigabytes>', 'of the disk that is kept (100)', whole)
    .option('--repository <address>', 'is cloned; on a laptop it may be a folder, as “.”')
    .option('--ref <name>', 'branch, tag or commit')
    .option(
      '--data <prefix>',
      'raw/… or derived/…; is copied to the machine; may be given several times',
      collect,
    )
    .option('--idle <minutes>', 'without use, after which it is stopped (60)', whole)
    .option('--hours <number>', 'after which it is stopped (10)', positive)
    .option('--region <name>', 'the only ones where it may be', collect)
    .option('--owner <email>', 'who is let in; you, if nothing is said')
    .option('--yes', 'do not ask whether it is meant')
    .action(run<[string, StartOptions]>(async () => (await import('./start.ts')).start));

  verb(
    'list',
    'Sessions, with what they cost and where they are opened.',
    'Exit code: 0, 1 if not all could be read, 2 for an error.',
    ['list', 'list --json | jq -r \'.[] | select(.state == "running").link\''],
  )
    .option('--all', 'also those of which nothing is left')
    .action(run<[ListOptions]>(async () => (await import('./list.ts')).list));

  verb('show', 'All that is known of a session.', 'Exit code: 0, whatever its state is; 2 for an error.', [
    'show pupils',
    'show pupils --json | jq -r .link',
  ])
    .argument('<name>')
    .action(run<[string, ShowOptions]>(async () => (await import('./show.ts')).show));

  watched(
    verb('stop', 'Stops it. Its disks are kept, and cost something.', exits('is stopped'), ['stop pupils']),
  )
    .argument('<name>')
    .action(run<[string, WishOptions]>(async () => (await import('./wish.ts')).stop));

  watched(
    verb('resume', 'Starts one that is stopped, on its own disks and in their zone.', exits('runs'), [
      'resume pupils',
    ]),
  )
    .argument('<name>')
    .action(run<[string, WishOptions]>(async () => (await import('./wish.ts')).resume));

  verb(
    'run',
    'Runs a notebook of its repository to its end, as a job of its own with the same data and accelerators, after it has ' +
      'said what it may cost and you have said yes. It goes on when the laptop is closed and the session is stopped. What is ' +
      'not pushed is not in it.',
    'Exit code: 0 when it is submitted, 1 if you said no, 2 for an error. With --follow that of job logs -f.',
    [
      'run pupils notebooks/fit.ipynb -p epochs=40 --follow',
      'run pupils fit.ipynb --pip requirements.txt --yes',
    ],
  )
    .argument('<name>')
    .argument('<notebook>', 'its path in the repository')
    .option(
      '-p, --parameter <name=value>',
      'of papermill; may be given several times',
      (value: string, before: string[] = []) => [...before, value],
    )
    .option('--ref <name>', 'branch, tag or commit; that of the session, if nothing is said')
    .option('--pip <file>', 'what is installed for it, as requirements.txt')
    .option('--results <path>', 'what is brought to the derived bucket, as results')
    .option(
      '--hours <number>',
      'after which it is ended; as many as the session has, if nothing is said',
      positive,
    )
    .option('--yes', 'do not ask whether it is meant')
    .option('--key <text>', 'a text of your own for this run: with the same key it is the same job')
    .option('-f, --follow', 'then show its log until it is over')
    .action(run<[string, string, RunOptions]>(async () => (await import('./run.ts')).runNotebook));

  verb(
    'prolong',
    'Puts off its end, within the limits of the lab. When nobody uses it, it is stopped all the same.',
    'Exit code: 0 when it is prolonged, 2 if it may not be, and for an error.',
    ['prolong pupils', 'prolong pupils --hours 4'],
  )
    .argument('<name>')
    .option('--hours <number>', 'so many more than it has', positive, 1)
    .action(run<[string, ProlongOptions]>(async () => (await import('./prolong.ts')).prolong));

  watched(
    verb('delete', 'Deletes it with its disks, for good.', exits('is deleted'), [
      'delete pupils',
      'delete pupils --yes',
    ]),
  )
    .argument('<name>')
    .option('--yes', 'do not ask whether it is meant')
    .action(run<[string, WishOptions]>(async () => (await import('./wish.ts')).remove));
}
