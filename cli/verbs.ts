import type { Command } from 'commander';

/**
 * The verbs of a subject: `npx gazeline job submit`. Each works on the same labs, can speak to programs, and says in its
 * help how it exits and how it is used.
 */
export function verbsOf(program: Command, subject: string, description: string) {
  const command = program
    .command(subject)
    .description(description)
    .showHelpAfterError(`(npx gazeline ${subject} --help)`);
  return (verb: string, description: string, exits: string, examples: string[], isDefault = false): Command =>
    command
      .command(verb, { isDefault })
      .description(description)
      .option('--dir <folder>', 'a lab that npm start runs there; else the GAZELINE_* environment, or lab/')
      .option('--json', 'for programs')
      .addHelpText(
        'after',
        `\n${exits}\n\nExamples:\n${examples.map((one) => `  npx gazeline ${subject} ${one}`).join('\n')}`,
      );
}
