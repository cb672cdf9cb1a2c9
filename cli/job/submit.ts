import pc from 'picocolors';
import { config } from '../../shared/config.ts';
import type { Job } from '../../shared/jobs/job.ts';
import { InvalidJob } from '../../shared/jobs/parseJob.ts';
import { connect, type Where } from '../connect.ts';
import { openJobs } from './open.ts';
import { readSource } from './source.ts';
import { type StartOptions, start } from './start.ts';

export type SubmitOptions = Where & StartOptions;

/** @returns the exit code: 0 when it is submitted, 1 if the person said no, 2 if the job is not right */
export async function submit(file: string, { dir, ...options }: SubmitOptions): Promise<number> {
  await connect({ ...(dir === undefined ? {} : { dir }) });
  let job: Job;
  try {
    job = await readSource(file, config().localCloud !== undefined);
  } catch (error) {
    if (!(error instanceof InvalidJob)) throw error;
    // What it quotes was cleaned when the lines were made.
    for (const line of error.lines) console.error(pc.red(line));
    return 2;
  }
  return start(await openJobs(), job, options);
}
