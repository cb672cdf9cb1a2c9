import { log, outro } from '@clack/prompts';
import { activeAccount } from './account.ts';
import { complete, readAnswers } from './answers.ts';
import { examinations } from './examinations.ts';
import { explain } from './explain.ts';
import type { Finding } from './findings.ts';
import { Failed } from './program.ts';
import { checkTools } from './tools.ts';

/** Looks at a lab from one end to the other. It changes nothing. @returns 1 if something is broken */
export async function doctor(): Promise<number> {
  await checkTools();
  const account = await activeAccount();
  const answers = complete(await readAnswers());
  const found: Finding[] = [];
  for (const [what, examine] of examinations) {
    try {
      const findings = await examine(answers, account);
      for (const finding of findings) show(finding);
      found.push(...findings);
      if (findings.some(({ isEnd }) => isEnd)) break;
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      const finding: Finding = {
        state: 'broken',
        what: `${what}: cannot be looked at`,
        words: explain(error, { project: answers.project, account, again: 'npm run deploy -- doctor' })
          .message,
      };
      show(finding);
      found.push(finding);
    }
  }
  const broken = found.filter(({ state }) => state === 'broken').length;
  const worrying = found.filter(({ state }) => state === 'worrying').length;
  if (broken > 0) outro(`${broken} broken${worrying > 0 ? `, ${worrying} to look at` : ''}.`);
  else outro(worrying > 0 ? `The lab works; ${worrying} to look at.` : 'The lab works.');
  return broken > 0 ? 1 : 0;
}

function show({ state, what, words }: Finding): void {
  const text = words ? `${what}\n${words}` : what;
  if (state === 'good') log.success(text);
  else if (state === 'worrying') log.warn(text);
  else log.error(text);
}
