import type { Command } from 'commander';
import { run } from '../run.ts';
import type { KeepOptions } from './keep.ts';
import type { ListOptions } from './list.ts';

/** `npx gazeline machines …` */
export function addMachineVerbs(program: Command): void {
  const machines = program
    .command('machines')
    .description('the machines of the project, whoever made them')
    .showHelpAfterError('(npx gazeline machines --help)');
  const dir = [
    '--dir <folder>',
    'a lab that npm start runs there; else the GAZELINE_* environment, or lab/',
  ] as const;

  machines
    .command('list', { isDefault: true })
    .description('What each costs, whether it is idle, what becomes of it, when and why.')
    .option(...dir)
    .option('--json', 'for programs, with the evidence')
    .addHelpText(
      'after',
      '\nExit code: 0, 1 if not all zones answered, 2 for an error.\n\nExamples:\n  npx gazeline machines\n' +
        '  npx gazeline machines --json | jq -r \'.machines[] | select(.decision.do == "warn").name\'',
    )
    .action(run<[ListOptions]>(async () => (await import('./list.ts')).list));

  machines
    .command('keep')
    .description('Protects a machine from being stopped until the end of a day.')
    .argument('<machine>', 'its name, or zone/name')
    .option(...dir)
    .option('--until <day>', 'as 2026-12-24; today, if nothing is said')
    .addHelpText(
      'after',
      '\nExit code: 0 when it is protected, 2 for an error.\n\nExamples:\n  npx gazeline machines keep my-notebook\n' +
        '  npx gazeline machines keep europe-west4-a/my-notebook --until 2026-12-24',
    )
    .action(run<[string, KeepOptions]>(async () => (await import('./keep.ts')).keep));
}
