import { log, note, outro } from '@clack/prompts';
import { adoptBuckets } from './adoptBuckets.ts';
import { type Complete, readAnswers } from './answers.ts';
import { apply, makePlan } from './apply.ts';
import { agrees } from './ask.ts';
import { buildPackages } from './buildPackages.ts';
import { estimateWords } from './estimateWords.ts';
import { explain } from './explain.ts';
import { countsOf, type Plan, planInWords } from './planInWords.ts';
import { prepare } from './prepare.ts';
import { openChannel, selfTest } from './selfTest.ts';
import { keepAnswers, makeStateBucket } from './stateBucket.ts';
import { init, type Outputs, outputs } from './terraform.ts';

export type DeployOptions = { yes?: boolean; ci?: boolean; selfTest?: boolean };

/** Makes a lab, or brings one up to date. Whatever is there already is left as it is. */
export async function deployLab(options: DeployOptions): Promise<number> {
  note(
    [
      'This makes a lab of yours in a Google Cloud project: buckets for the',
      'data, functions that bring and annotate it, and clocks that look after',
      'both. You are asked some questions, shown what it may cost and what is',
      'going to be made, and asked again. Before that only a bucket is made, in',
      'which is remembered what was made, and some of Google’s services are',
      'switched on, which cost nothing by themselves.',
    ].join('\n'),
    'What is about to happen',
  );
  const { account, answers } = await prepare(await readAnswers(), options);
  note(estimateWords(), 'What it costs a month');
  if (!(await agrees('Shall it be planned?', options.yes))) return left();
  let current = answers;
  try {
    const plan = await planLab(answers);
    note(planInWords(plan), 'What is to be done');
    const { make, change, replace, remove } = countsOf(plan);
    if (make + change + replace + remove > 0) {
      if (!(await agrees('Shall it be done? It takes about ten minutes the first time', options.yes)))
        return left();
      current = await apply(plan, answers);
    }
    await keepAnswers(current);
  } catch (error) {
    throw explain(error, { project: answers.project, account });
  }
  return finish(current, await outputs(), options);
}

/** The bucket of Terraform's memory, the packages, and what has to be done. */
export async function planLab(answers: Complete): Promise<Plan> {
  const steps: [string, () => Promise<unknown>][] = [
    ['A bucket for what was made', () => makeStateBucket(answers)],
    ['The packages of the functions', buildPackages],
    ['Terraform and its provider for Google', () => init(answers.project)],
    ['Buckets of an earlier lab', () => adoptBuckets(answers)],
  ];
  for (const [what, step] of steps) {
    log.step(`${what} …`);
    await step();
  }
  log.step('What is there, compared with what should be …');
  return makePlan();
}

async function finish(
  answers: Complete,
  made: Outputs,
  { yes, selfTest: wanted = true }: DeployOptions,
): Promise<number> {
  note(
    [
      'Share the study folder with this address (in Drive: right click, Share).',
      'As a viewer it brings your files. As an editor it also keeps its file of',
      'notices in the folder, of spending and idle machines; it changes nothing else.',
      '',
      `  ${made.share_with ?? ''}`,
      '',
      `  https://drive.google.com/drive/folders/${answers.study_folder}`,
    ].join('\n'),
    'One thing only you can do',
  );
  if (!wanted || (yes && !process.stdin.isTTY)) {
    outro('Done. When it is shared: npm run deploy -- doctor');
    return 0;
  }
  if (!(await agrees('Is it shared?', yes))) {
    outro('Files arrive from the moment on at which it is. Then: npm run deploy -- doctor');
    return 0;
  }
  if (answers.public_webhook === false) log.info('Changes in Drive are looked for every five minutes.');
  else if (await openChannel(answers, made)) log.success('Drive tells the lab of every change.');
  else
    log.warn(
      'Drive does not tell the lab of changes yet; until it does, they are looked for every five minutes.',
    );
  const works = await selfTest(answers, made);
  note(notebookWords(answers, made), 'Here is the data');
  outro(
    works
      ? 'The lab works.'
      : 'The lab is there, but the file has not come through. What is wrong: npm run deploy -- doctor',
  );
  return works ? 0 : 1;
}

const notebookWords = (answers: Complete, { buckets }: Outputs) =>
  [
    `Mirror of the folder:  gs://${buckets?.raw ?? ''}`,
    `Everything computed:   gs://${buckets?.derived ?? ''}`,
    '',
    'A notebook to begin with: notebooks/ in this repository, in Colab or on a machine of yours.',
    `In the console: https://console.cloud.google.com/storage/browser?project=${answers.project}`,
  ].join('\n');

function left(): number {
  outro('Nothing was made. Your answers are remembered: npm run deploy goes on from here.');
  return 1;
}
