import { cancel, intro, log } from '@clack/prompts';
import { Command } from 'commander';
import { Failed } from './lab/program.ts';
import { Interrupted, Stop } from './lab/stop.ts';

/*
 * `npm run deploy`: makes a lab of one's own in a Google Cloud project, and looks after it. Terraform does the work
 * (`terraform/`); this asks the questions, explains, and waits where Google takes its time.
 */
const program = new Command('npm run deploy --')
  .description('Makes a lab in a Google Cloud project, or brings one up to date.')
  .option('--yes', 'ask nothing: all answers are there already')
  .option('--ci', 'also sets up builds: every push is checked and planned, and the main branch deployed')
  .option('--no-self-test', 'do not follow a file through the lab at the end')
  .addHelpText(
    'after',
    `
Exit code: 0 if it is done, 1 if not, 130 after Ctrl-C. It can be run again at any time, and goes on where it was.
The answers are in deploy/google/terraform/lab.auto.tfvars.json; change them there, or delete it to be asked again.

Examples:
  npm run deploy                          what a new lab needs
  npm run deploy -- plan                  what would be done now
  npm run deploy -- doctor                is everything well, and if not, why?
  npm run deploy -- destroy               takes the lab down and keeps the data
  npm run deploy -- destroy --delete-data deletes the data as well, after asking for the project's id`,
  )
  .showHelpAfterError('Run npm run deploy -- --help to see what there is.')
  .allowExcessArguments()
  .action((options, { args: [verb] }: Command) => {
    if (verb !== undefined) program.error(`error: there is no verb ${verb}`);
    return within(async () => (await import('./lab/deployLab.ts')).deployLab(options));
  });

program
  .command('plan')
  .description(
    'Says what would be done, and what it costs. Only a bucket is made, to remember in what is made.',
  )
  .action((_, command: Command) =>
    within(async () => (await import('./lab/showPlan.ts')).showPlan(command.optsWithGlobals())),
  );
program
  .command('doctor')
  .description('Looks at a lab from one end to the other and explains what it finds.')
  .action(() => within(async () => (await import('./lab/doctor.ts')).doctor()));
program
  .command('env')
  .description(
    'Prints what `npx gazeline` has to know to look at the lab: eval "$(npm run --silent deploy -- env)"',
  )
  .action(() =>
    within(async () => (await import('./lab/printEnvironment.ts')).printEnvironment(), { quiet: true }),
  );
program
  .command('destroy')
  .description('Takes the lab down. The data stays.')
  .option('--delete-data', 'the data as well; asks a second time')
  .action((_, command: Command) =>
    within(async () => (await import('./lab/destroyLab.ts')).destroyLab(command.optsWithGlobals())),
  );

/** A verb, to its exit code. */
async function within(verb: () => Promise<number>, { quiet = false } = {}): Promise<void> {
  if (!quiet) intro('Gazeline');
  try {
    process.exitCode = await verb();
  } catch (error) {
    if (error instanceof Interrupted) {
      cancel('Interrupted. Your answers are remembered: run it again to go on.');
      process.exitCode = 130;
    } else if (error instanceof Stop) {
      log.error(error.message);
      process.exitCode = 1;
    } else if (error instanceof Failed) {
      log.error(`${error.command}\n${error.output.trim()}`);
      process.exitCode = 1;
    } else throw error;
  }
}

await program.parseAsync();
