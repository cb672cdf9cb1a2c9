import { note, outro, text } from '@clack/prompts';
import { activeAccount } from './account.ts';
import { complete, readAnswers } from './answers.ts';
import { apply, makePlan } from './apply.ts';
import { agrees } from './ask.ts';
import { buildPackages } from './buildPackages.ts';
import { explain } from './explain.ts';
import { planInWords } from './planInWords.ts';
import { Failed } from './program.ts';
import { answered, Stop } from './stop.ts';
import { init, outputs, terraform } from './terraform.ts';
import { checkTools } from './tools.ts';

export type DestroyOptions = { yes?: boolean; deleteData?: boolean };

/** Takes the lab down. The data stays, unless that it shall not was said twice. */
export async function destroyLab({ yes = false, deleteData = false }: DestroyOptions): Promise<number> {
  await checkTools();
  const account = await activeAccount();
  const answers = complete(await readAnswers());
  const { project } = answers;
  try {
    await buildPackages();
    await init(project);
    const made = await outputs();
    const buckets = Object.values(made.buckets ?? {}).map((name) => `gs://${name}`);
    note(
      [
        deleteData
          ? 'Everything that was made is removed, AND ALL DATA, which nobody can bring back:'
          : 'Everything that was made is removed. The data stays, in buckets that Gazeline no longer looks after:',
        ...buckets.map((bucket) => `  ${bucket}`),
        'The study folder in Drive is left alone.',
      ].join('\n'),
      'Taking the lab down',
    );
    if (deleteData) await demandName(project);
    else await forget(made.data ?? []);
    const variables = deleteData ? ['-var=delete_data=true'] : [];
    // Whether a bucket may be removed with what is in it has to be known to it before.
    const allow = () => makePlan(...variables, ...targets(made.data));
    if (deleteData) await apply(await allow(), answers, allow);
    const what = () => makePlan('-destroy', ...variables);
    const plan = await what();
    note(planInWords(plan), 'What is to be done');
    if (!(await agrees('Shall it be done?', yes))) {
      outro('Nothing was removed. If you want to keep the lab, run npm run deploy once.');
      return 1;
    }
    await apply(plan, answers, what);
  } catch (error) {
    throw explain(error, { project, account });
  }
  outro(deleteData ? 'The lab and its data are gone.' : 'The lab is gone; its data is where it was.');
  return 0;
}

const targets = (addresses: string[] = []) => addresses.map((address) => `-target=${address}`);

/** `--delete-data` was the first time. */
async function demandName(project: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new Stop('Data is deleted only where somebody can be asked: run it in a terminal.');
  const name = answered(
    await text({ message: `To delete all data, write the id of the project (${project})` }),
  );
  if (name.trim() !== project) throw new Stop('That is not its id. Nothing was removed.');
}

/** Terraform is to know nothing of what stays. Those that it has forgotten already, in an earlier run, are no error. */
async function forget(addresses: string[]): Promise<void> {
  for (const address of addresses)
    try {
      await terraform(['state', 'rm', address]);
    } catch (error) {
      if (
        !(error instanceof Failed) ||
        !/No matching objects found|Invalid target address/i.test(error.output)
      )
        throw error;
    }
}
