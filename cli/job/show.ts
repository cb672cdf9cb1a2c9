import { resultsOf } from '../../shared/jobs/results.ts';
import { costOf } from '../../shared/jobs/spent.ts';
import { connect, type Where } from '../connect.ts';
import { findJob } from './findJob.ts';
import { openJobs } from './open.ts';
import { showWords } from './showWords.ts';

export type ShowOptions = Where & { json?: true; all?: true };

/** @returns the exit code */
export async function show(written: string, { json, all, ...where }: ShowOptions): Promise<number> {
  await connect(where);
  const jobs = await openJobs();
  const record = await findJob(jobs.records, written);
  const results = await resultsOf(jobs, record);
  const now = Date.now();
  if (json) console.log(JSON.stringify({ record, cost: costOf(record, now), results }, undefined, 2));
  else
    console.log(
      showWords(record, results, { now, all: all ?? false, isLocal: jobs.config.localCloud !== undefined }),
    );
  return 0;
}
