import { type Command, Option } from 'commander';
import { levels } from '../../shared/budget/levels.ts';
import { run } from '../run.ts';
import { verbsOf } from '../verbs.ts';
import type { RaiseOptions } from './raise.ts';
import type { ReleaseOptions } from './release.ts';
import type { ShowOptions } from './show.ts';

/** `npx gazeline guard …` */
export function addGuardVerbs(program: Command): void {
  const verb = verbsOf(
    program,
    'guard',
    'the budget guard: how far spending has gone, and what is done about it',
  );
  const changed =
    'Exit code: 0 if the level is another now, 1 if you said no or it is there already, 2 for an error.';

  verb(
    'show',
    'The level of the guard, why it is there, what it has done, and who has changed it.',
    'Exit code: 0, whatever the level is; 2 for an error.',
    ['show', 'show --json | jq -r .level'],
  )
    .option('--all', 'long lists as a whole')
    .action(run<[ShowOptions]>(async () => (await import('./show.ts')).show));

  verb(
    'raise',
    'Raises the level by hand, and does at once what it asks for. `stop-all` stops machines, after jobs have saved a checkpoint.',
    changed,
    ['raise no-new-work --why "the grant is used up"', 'raise stop-all --why "a machine runs wild" --yes'],
  )
    .argument('<level>', levels.slice(1, -1).join(', '))
    .requiredOption('--why <text>', 'is kept, and told')
    .option('--yes', 'do not ask whether it is meant')
    .action(run<[string, RaiseOptions]>(async () => (await import('./raise.ts')).raise));

  verb(
    'release',
    'Lets the level down, so that work may start again. It comes back when a further twentieth of the budget is spent.',
    changed,
    ['release --why "the budget was raised"', 'release --to warned --why "one more paper" --yes'],
  )
    .requiredOption('--why <text>', 'is kept')
    .addOption(new Option('--to <level>', 'how far').choices(levels.slice(0, -1)).default('open'))
    .option('--yes', 'do not ask whether it is meant')
    .action(run<[ReleaseOptions]>(async () => (await import('./release.ts')).release));
}
