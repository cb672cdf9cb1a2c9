import pc from 'picocolors';
import type { Job } from '../../shared/jobs/job.ts';
import { InvalidJob, writtenIn } from '../../shared/jobs/parseJob.ts';
import { Refusal } from '../../shared/refusal.ts';
import { jobOfSession } from '../../shared/sessions/jobOfSession.ts';
import { connect, type Where } from '../connect.ts';
import { openJobs } from '../job/open.ts';
import { type StartOptions, start } from '../job/start.ts';
import { findSession, openSessions } from './open.ts';

export type RunOptions = Where &
  StartOptions & { parameter?: string[]; ref?: string; pip?: string; results?: string; hours?: number };

/** @returns the exit code: 0 when it is submitted, 1 if the person said no, 2 if it cannot be run */
export async function runNotebook(name: string, notebook: string, options: RunOptions): Promise<number> {
  const { dir, parameter = [], ref, pip, results, hours, ...more } = options;
  await connect(dir === undefined ? {} : { dir });
  const record = await findSession(await openSessions(), name);
  if (!record.session.repository)
    throw new Refusal(`${name} has no repository, so that no other machine can have the notebook.`);
  const jobs = await openJobs();
  const isLocal = jobs.config.localCloud !== undefined;
  let job: Job;
  try {
    const parameters = parameter.length > 0 ? Object.fromEntries(parameter.map(parameterOf)) : undefined;
    const environment = pip === undefined ? undefined : { pip };
    const wish = { notebook, parameters, ref, environment, results, hours };
    job = jobOfSession(record, wish, { allowFile: isLocal });
  } catch (error) {
    if (!(error instanceof InvalidJob)) throw error;
    for (const line of error.lines) console.error(pc.red(line));
    return 2;
  }
  return start(jobs, job, more);
}

/** `epochs=40` is a number, `name=P01` a text: as in a file of a job. */
function parameterOf(written: string): [name: string, value: unknown] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(written) ?? [];
  if (name === undefined || value === undefined)
    throw new Refusal(`“${written}” is no parameter. Write it as epochs=40.`);
  return [name, writtenIn(value)];
}
