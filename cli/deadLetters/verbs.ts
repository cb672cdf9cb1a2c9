import type { Command } from 'commander';
import { run } from '../run.ts';
import { verbsOf } from '../verbs.ts';
import type { ListOptions } from './list.ts';
import type { ReplayOptions } from './replay.ts';
import type { ShowOptions } from './show.ts';

/** `npx gazeline dead-letters …` */
export function addDeadLetterVerbs(program: Command): void {
  const verb = verbsOf(
    program,
    'dead-letters',
    'messages that a function has failed on until they were given up',
  );

  verb(
    'list',
    'Those that were not sent again, the last one first.',
    'Exit code: 0 if there is none, 1 if there is or one cannot be read, 2 for an error.',
    ['list', "list --json | jq -r '.[].id'"],
  )
    .option('--all', 'those that were sent again as well')
    .action(run<[ListOptions]>(async () => (await import('./list.ts')).list));

  verb('show', 'One of them, whole.', 'Exit code: 0, or 2 for an error.', ['show 1234'])
    .argument('<id>')
    .action(run<[string, ShowOptions]>(async () => (await import('./show.ts')).show));

  verb(
    'replay',
    'Sends them again, once, after their cause was mended.',
    'Exit code: 0 if all were sent, 1 if one was not or cannot be read, 2 for an error.',
    ['replay 1234', 'replay --all'],
  )
    .argument('[ids...]')
    .option('--all', 'all that were not sent again')
    .action(run<[string[], ReplayOptions]>(async () => (await import('./replay.ts')).replay));
}
