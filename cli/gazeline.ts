#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { enableCompileCache } from 'node:module';
import { Command } from 'commander';
import { addCostVerb } from './cost/verbs.ts';
import { addDeadLetterVerbs } from './deadLetters/verbs.ts';
import { addExportVerbs } from './export/verbs.ts';
import { addGuardVerbs } from './guard/verbs.ts';
import { addJobVerbs } from './job/verbs.ts';
import { addMachineVerbs } from './machines/verbs.ts';
import { addSessionVerbs } from './session/verbs.ts';
import { addSyncVerbs } from './sync/verbs.ts';

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

addSyncVerbs(program);
addJobVerbs(program);
addExportVerbs(program);
addCostVerb(program);
addGuardVerbs(program);
addMachineVerbs(program);
addDeadLetterVerbs(program);
addSessionVerbs(program);

await program.parseAsync();
