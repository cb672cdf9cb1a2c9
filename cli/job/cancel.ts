import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { readJobRecord } from '../../shared/jobs/changeJob.ts';
import { type Attempt, isEnd, type JobRecord } from '../../shared/jobs/jobRecord.ts';
import { cancelJob } from '../../shared/jobs/submitJob.ts';
import { agrees } from '../agrees.ts';
import { connect, type Where } from '../connect.ts';
import { durationOf } from '../duration.ts';
import { costWords } from './costWords.ts';
import { findJob } from './findJob.ts';
import { type OpenJobs, openJobs } from './open.ts';
import { stateWords } from './stateWords.ts';

export type CancelOptions = Where & {
  json?: true;
  yes?: true;
  wait: boolean;
  /** Minutes. */
  timeout: number;
};

/** @returns the exit code: 0 when it is cancelled, 1 if it is not, or not yet */
export async function cancel(written: string, options: CancelOptions): Promise<number> {
  const { json, yes, wait, timeout, ...where } = options;
  await connect(where);
  const jobs = await openJobs();
  const job = await findJob(jobs.records, written);
  if (isEnd(job.state)) return ended(job, json);
  console.error(`${job.id} is ${job.state}. Its cost until now: ${costWords(job, Date.now())}.`);
  const nobody = `There is nobody to ask whether ${job.id} is meant. Say so with --yes.`;
  if (!yes && !(await agrees('Cancel it?', nobody))) {
    console.error('It goes on.');
    return 1;
  }
  const asked = await cancelJob(jobs, job.id, new Date());
  if (!wait) {
    if (json)
      console.log(
        JSON.stringify({ id: job.id, state: asked?.state, cancelRequestedAt: asked?.cancelRequestedAt }),
      );
    else console.log(`It is asked for. npx gazeline job show ${job.id} tells how it is.`);
    return 0;
  }
  const record = await gone(jobs, asked ?? job, timeout * 60_000);
  if (isEnd(record.state)) return ended(record, json);
  console.error(
    `${job.id} is not cancelled yet; it will be without you. npx gazeline job show ${job.id} tells how it is.`,
  );
  return 1;
}

async function gone({ records }: OpenJobs, job: JobRecord, patience: number): Promise<JobRecord> {
  process.once('SIGINT', () => {
    console.error('\nYou wait no more; it is cancelled all the same.');
    process.exit(130);
  });
  const since = Date.now();
  let record = job;
  let told = '';
  for (
    let pause = 200;
    !isEnd(record.state) && Date.now() - since < patience;
    pause = Math.min(pause * 1.5, 2000)
  ) {
    const line = record.attempts.some(hasMachine) ? 'its machine is being removed' : 'it is being ended';
    if (process.stderr.isTTY) process.stderr.write(`\r… ${line} (${durationOf(Date.now() - since)}) `);
    else if (line !== told) console.error(`… ${line}`);
    told = line;
    await sleep(pause);
    record = (await readJobRecord(records, record.id)) ?? record;
  }
  // \x1b[K: to the end of the line.
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return record;
}

/** There is one, or there may be. */
const hasMachine = ({ asked, candidate, releasedAt }: Attempt) => (asked || candidate) && !releasedAt;

function ended(record: JobRecord, json: true | undefined): number {
  const { id, state } = record;
  const isCancelled = state === 'cancelled';
  const cost = costWords(record, Date.now());
  if (json) console.log(JSON.stringify({ id, state, cost }));
  else if (isCancelled)
    console.log(`${pc.green('✓')} ${id} is cancelled, and nothing of it is left. Its cost: ${cost}.`);
  else console.log(`${id} is over: ${stateWords(state)}`);
  return isCancelled ? 0 : 1;
}
