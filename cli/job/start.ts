import { randomUUID } from 'node:crypto';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import type { Job } from '../../shared/jobs/job.ts';
import { quoteOf } from '../../shared/jobs/quote.ts';
import { requestJob, submitJob } from '../../shared/jobs/submitJob.ts';
import { Refusal } from '../../shared/refusal.ts';
import { userName } from '../../shared/userName.ts';
import { agrees } from '../agrees.ts';
import { follow } from './follow.ts';
import type { OpenJobs } from './open.ts';
import { quoteWords } from './quoteWords.ts';
import { checkoutOf } from './source.ts';

export type StartOptions = { json?: true; yes?: true; key?: string; follow?: true };

/**
 * Says what a job may cost, asks, and submits it.
 * @returns the exit code
 */
export async function start(jobs: OpenJobs, job: Job, options: StartOptions): Promise<number> {
  const { json, yes, key = randomUUID(), follow: isFollowed } = options;
  const now = Date.now();
  const isLocal = jobs.config.localCloud !== undefined;
  const checkout = await checkoutOf(job);
  console.error(pc.bold(clean(job.name)));
  console.error(
    `${clean(job.repository)} at ${clean(job.ref)}${checkout ? ` (${checkout.commit.slice(0, 12)})` : ''}`,
  );
  if (checkout && checkout.uncommitted > 0)
    console.error(
      pc.yellow(
        `What is not committed there does not get to the machine (git status: ${checkout.uncommitted}).`,
      ),
    );
  const quote = await quoteOf(jobs, job, now);
  const { choice } = quote;
  if (choice.do === 'refuse' || choice.do === 'fail')
    throw new Refusal(`It would be refused: ${choice.reason}. It is not submitted.`);
  console.error(quoteWords(job, quote, now, isLocal));
  const nobody =
    'There is nobody to ask whether this is meant, and nothing was submitted. Say so with --yes.';
  if (!yes && !(await agrees('Start it?', nobody))) {
    console.error('Nothing was submitted.');
    return 1;
  }
  // Before it is sent: with it, whoever gets no answer can send the same job again.
  console.error(pc.dim(`Key: ${clean(key)}`));
  const at = new Date();
  const record = await submitJob(jobs.records, { job, key, owner: userName() }, at);
  await requestJob(jobs.publish, record.id);
  const isNew = record.createdAt === at.toISOString();
  const { id, state } = record;
  const words = isNew
    ? `${pc.green('✓')} Submitted: ${pc.bold(id)}`
    : `It was submitted before: ${pc.bold(id)} (${state})`;
  if (isFollowed) {
    console.error(words);
    return follow(jobs, record, { json: json ?? false });
  }
  if (json)
    console.log(JSON.stringify({ id, key, new: isNew, state, estimate: choice.estimate }, undefined, 2));
  else
    console.log(
      `${words}\n${pc.dim(`npx gazeline job logs ${id} -f    shows how it goes\nnpx gazeline job show ${id}       tells all that is known`)}`,
    );
  return 0;
}
