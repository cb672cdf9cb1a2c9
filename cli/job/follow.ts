import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { readJobRecord } from '../../shared/jobs/changeJob.ts';
import { isEnd, type JobRecord } from '../../shared/jobs/jobRecord.ts';
import { Refusal } from '../../shared/refusal.ts';
import { costWords } from './costWords.ts';
import { localTime } from './localTime.ts';
import { logReader } from './logReader.ts';
import type { OpenJobs } from './open.ts';
import { stateWords } from './stateWords.ts';

/**
 * Prints the log of a job, and on standard error what happens to it, until it is over.
 * @param only of this attempt alone
 * @returns the exit code: 0 if it succeeded
 */
export async function follow(
  jobs: OpenJobs,
  job: JobRecord,
  { json, only }: { json: boolean; only?: number | undefined },
): Promise<number> {
  process.once('SIGINT', () => {
    console.error(
      `\nYou watch no more, and the job goes on. npx gazeline job show ${job.id} tells how it is.`,
    );
    process.exit(130);
  });
  const readers = new Map<number, ReturnType<typeof logReader>>();
  let told = 0;
  let record = job;
  for (let pause = 200; ; pause = Math.min(pause * 1.5, 2000)) {
    for (const { at, state, reason } of record.history.slice(told)) {
      if (json) console.log(JSON.stringify({ at, state, reason }));
      else
        console.error(
          `${pc.dim(localTime(at).slice(11))} ${stateWords(state)}${reason ? pc.dim(` ${clean(reason)}`) : ''}`,
        );
    }
    if (record.history.length > told) pause = 200;
    told = record.history.length;
    for (const { number, outcome } of record.attempts) {
      if (only !== undefined && number !== only) continue;
      const reader = readers.get(number) ?? logReader(jobs, record.id, number);
      readers.set(number, reader);
      for await (const line of reader.lines(outcome !== undefined)) {
        console.log(json ? JSON.stringify({ attempt: number, line }) : line);
        pause = 200;
      }
    }
    if (isEnd(record.state)) break;
    await sleep(pause);
    const now = await readJobRecord(jobs.records, record.id);
    if (!now) throw new Refusal(`There is no job ${record.id} any more.`);
    record = now;
  }
  if (!json) console.error(`${stateWords(record.state)}  cost: ${costWords(record, Date.now())}`);
  return record.state === 'succeeded' ? 0 : 1;
}
