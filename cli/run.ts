import pc from 'picocolors';
import { clean } from '../shared/clean.ts';
import { reasonOf } from '../shared/refusal.ts';

/** What commander calls for a verb, which is loaded only then: help comes at once. It ends the process. */
export const run =
  <Given extends unknown[]>(verb: () => Promise<(...given: Given) => Promise<number>>) =>
  async (...given: Given): Promise<void> => {
    try {
      process.exitCode = await (await verb())(...given);
    } catch (error) {
      console.error(pc.red(clean(reasonOf(error))));
      process.exitCode = 2;
    }
    // Clients keep connections open.
    process.exit();
  };
