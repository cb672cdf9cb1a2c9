import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '@clack/prompts';
import { openProgressBar } from '../../../cli/progressBar.ts';
import { type Complete, rememberAnswers } from './answers.ts';
import { pollingWords } from './checkOrganisation.ts';
import { remedyOf } from './failures.ts';
import { countsOf, type Plan } from './planInWords.ts';
import { Failed } from './program.ts';
import { terraform } from './terraform.ts';

const planFile = () => join(tmpdir(), `gazeline-${process.pid}.plan`);
process.once('exit', () => rmSync(planFile(), { force: true }));

/** @param more arguments of `terraform plan` */
export async function makePlan(...more: string[]): Promise<Plan> {
  await terraform(['plan', '-json', '-input=false', `-out=${planFile()}`, ...more]);
  return JSON.parse(await terraform(['show', '-json', planFile()])) as Plan;
}

/** Seconds between tries: what Google makes known slowly, it has mostly made known after some minutes. */
const waits = (process.env.GAZELINE_DEPLOY_WAITS ?? '15 30 60 120 240 300').split(' ').map(Number);

/**
 * Applies a plan; what passes by itself is tried again, from where it was. Where the organisation forbids public
 * functions, the lab polls from then on.
 * @param again makes a plan of what is left
 * @throws Failed
 */
export async function apply(
  plan: Plan,
  answers: Complete,
  again: () => Promise<Plan> = makePlan,
): Promise<Complete> {
  let current = answers;
  let rest = plan;
  for (let tries = 0; ; tries++) {
    try {
      await applyOnce(rest);
      return current;
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      const remedy = remedyOf(error.output);
      if (remedy.kind === 'poll' && current.public_webhook !== false) {
        log.warn(pollingWords);
        current = { ...current, public_webhook: false };
        await rememberAnswers(current);
      } else {
        const wait = waits[tries];
        if (remedy.kind !== 'wait' || wait === undefined) throw error;
        log.info(`Not yet: ${remedy.why}. Once more in ${wait} seconds (${tries + 1} of ${waits.length}).`);
        await sleep(wait * 1000);
      }
      // A plan can be applied once, and what was done is not to be done again.
      rest = await again();
    }
  }
}

async function applyOnce(plan: Plan): Promise<void> {
  const { make, change, replace, remove } = countsOf(plan);
  const total = make + change + 2 * replace + remove;
  const bar = openProgressBar();
  let done = 0;
  try {
    await terraform(['apply', '-json', '-input=false', planFile()], ({ type, hook }) => {
      // What is only looked at is not in the plan.
      if (hook?.action === 'read') return;
      if (type === 'apply_complete') done++;
      if (type === 'apply_start' || type === 'apply_complete')
        bar.show(done, total, hook?.resource.addr ?? '');
    });
  } finally {
    bar.end();
    log.info(`${done} of ${total} done.`);
  }
}
