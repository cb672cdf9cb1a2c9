import { log, note, outro, text } from '@clack/prompts';
import { activeAccount } from './account.ts';
import { adoptBuckets } from './adoptBuckets.ts';
import { answersFile, complete, readAnswers } from './answers.ts';
import { apply, makePlan } from './apply.ts';
import { agrees } from './ask.ts';
import { buildPackages } from './buildPackages.ts';
import { dataBucketsOf, isBucketThere } from './dataBuckets.ts';
import { explain } from './explain.ts';
import { countsOf, planInWords } from './planInWords.ts';
import { answered, Stop } from './stop.ts';
import { init, known, stateBucketOf, terraform } from './terraform.ts';
import { checkTools } from './tools.ts';

export type DestroyOptions = { yes?: boolean; deleteData?: boolean };

/**
 * Takes the lab down. The data stays, unless that it shall not was said twice. It can be interrupted and run again, and
 * with `deleteData` where the lab has been taken down already.
 */
export async function destroyLab({ yes = false, deleteData = false }: DestroyOptions): Promise<number> {
  await checkTools();
  const account = await activeAccount();
  const answers = complete(await readAnswers());
  const { project } = answers;
  const memory = stateBucketOf(project);
  if (!(await isBucketThere(memory, project)))
    throw new Stop(
      [
        `There is no lab in ${project} that ${account} can see: it would be remembered in gs://${memory}.`,
        `If it is in another project, that is to stand in ${answersFile};`,
        'if somebody else can see it: gcloud auth login',
      ].join('\n'),
    );
  let buckets: string[];
  try {
    await buildPackages();
    await init(project);
    const all = await known();
    const candidates = dataBucketsOf(answers);
    const areThere = await Promise.all(candidates.map(({ name }) => isBucketThere(name, project)));
    const data = candidates.filter(({ address }, index) => all.includes(address) || areThere[index]);
    buckets = data.map(({ name }) => `  gs://${name}`);
    note(
      [
        deleteData
          ? 'Everything that was made is removed, AND ALL DATA, which nobody can bring back:'
          : 'Everything that was made is removed. The data stays, in buckets that Gazeline no longer looks after:',
        ...orNone(buckets),
        'The study folder in Drive is left alone.',
      ].join('\n'),
      'Taking the lab down',
    );
    if (deleteData) {
      await demandName(project);
      await adoptBuckets(answers);
    }
    const addresses = data.map(({ address }) => address);
    const remembered = addresses.filter((address) => all.includes(address));
    const variables = deleteData ? ['-var=delete_data=true'] : [];
    if (deleteData && data.length > 0) {
      // Whether a bucket may be removed with what is in it, and keeps nothing of it, has to be known to it before.
      log.step('The buckets are told that they may be removed with what is in them …');
      const allow = () => makePlan(...variables, ...addresses.map((address) => `-target=${address}`));
      await apply(await allow(), answers, allow);
    } else if (remembered.length > 0) {
      // Terraform is to know nothing of what stays.
      await terraform(['state', 'rm', ...remembered]);
    }
    const what = () => makePlan('-destroy', ...variables);
    const plan = await what();
    if (countsOf(plan).remove > 0) {
      note(planInWords(plan), 'What is to be done');
      if (!(await agrees('Shall it be done?', yes))) {
        outro('Nothing was removed. If you want to keep the lab, run npm run deploy once.');
        return 1;
      }
      await apply(plan, answers, what);
    }
  } catch (error) {
    throw explain(error, {
      project,
      account,
      again: `npm run deploy -- destroy${deleteData ? ' --delete-data' : ''}`,
    });
  }
  if (deleteData) note(goneWords(buckets).join('\n'), 'What is gone');
  note([...(deleteData ? [] : keptWords(buckets)), ...leftWords(memory)].join('\n'), 'What is left');
  outro(deleteData ? 'The lab and its data are gone.' : 'The lab is gone; its data is where it was.');
  return 0;
}

const orNone = (buckets: string[]) => (buckets.length > 0 ? buckets : ['  (there is none)']);

const keptWords = (buckets: string[]) => [
  'The data, which is paid for as before:',
  ...orNone(buckets),
  'A new lab in the same project takes it over: npm run deploy',
  'To delete it as well: npm run deploy -- destroy --delete-data',
];

const goneWords = (buckets: string[]) => [
  'Gone for ever, with all versions of all that was in them:',
  ...orNone(buckets),
  'What had been deleted or written over in them before is out of reach as well; Google erases it within 30 days.',
];

const leftWords = (memory: string) => [
  'The study folder in Drive, and what was exported to other drives.',
  'Logs, with names of files: Google deletes them after 30 days.',
  'Google’s services stay switched on in the project; by themselves they cost nothing.',
  'Your answers, and what Terraform remembers. If you do not want to begin again with them:',
  `  gcloud storage rm gs://${memory} --recursive`,
];

/** `--delete-data` was the first time. */
async function demandName(project: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new Stop('Data is deleted only where somebody can be asked: run it in a terminal.');
  const name = answered(
    await text({ message: `To delete all data, write the id of the project (${project})` }),
  );
  if (name.trim() !== project) throw new Stop('That is not its id. Nothing was removed.');
}
