import { log } from '@clack/prompts';
import { activeAccount } from './account.ts';
import { type Answers, type Complete, complete, rememberAnswers } from './answers.ts';
import { ask } from './ask.ts';
import { checkBilling } from './checkBilling.ts';
import { forbidsPublicFunctions, pollingWords } from './checkOrganisation.ts';
import { checkProject } from './checkProject.ts';
import { checkTools } from './tools.ts';

export type Ready = { account: string; answers: Complete };

/** Programs, login, answers, project, billing, rights: all that can be wrong before anything is made. */
export async function prepare(
  before: Answers,
  { yes = false, ci = false }: { yes?: boolean; ci?: boolean },
): Promise<Ready> {
  await checkTools();
  const account = await activeAccount();
  log.info(`You are ${account}.`);
  const mayAsk = !yes && process.stdin.isTTY === true;
  const answers = complete(mayAsk ? await ask(before, { ci }) : before);
  await checkProject(answers.project, account);
  const billing = await checkBilling(answers.project, account);
  if (billing.withoutBudget) log.warn(billing.withoutBudget);
  if (answers.public_webhook === undefined && (await forbidsPublicFunctions(answers.project))) {
    log.warn(pollingWords);
    answers.public_webhook = false;
  }
  answers.billing_account = billing.withoutBudget ? '' : billing.account;
  if (answers.budget) answers.budget = { ...answers.budget, currency: billing.currency };
  await rememberAnswers(answers);
  log.success(`The project ${answers.project} is there, is paid for, and you may make a lab in it.`);
  return { account, answers };
}
