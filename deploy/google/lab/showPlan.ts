import { note, outro } from '@clack/prompts';
import { readAnswers } from './answers.ts';
import { planLab } from './deployLab.ts';
import { estimateWords } from './estimateWords.ts';
import { explain } from './explain.ts';
import { countsOf, planInWords } from './planInWords.ts';
import { prepare } from './prepare.ts';

/** Says what `deploy` would do. Nothing is made but the bucket of Terraform's memory. */
export async function showPlan(options: { yes?: boolean }): Promise<number> {
  const { account, answers } = await prepare(await readAnswers(), options);
  note(estimateWords(), 'What it costs a month');
  try {
    const plan = await planLab(answers);
    note(planInWords(plan), 'What is to be done');
    const { make, change, replace, remove } = countsOf(plan);
    const nothing = make + change + replace + remove === 0;
    outro(nothing ? 'The lab is as it should be.' : 'Nothing was changed. To do it: npm run deploy');
    return 0;
  } catch (error) {
    throw explain(error, { project: answers.project, account });
  }
}
