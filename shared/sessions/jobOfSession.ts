import type { Job } from '../jobs/job.ts';
import { readJob } from '../jobs/parseJob.ts';
import type { SessionRecord } from './sessionRecord.ts';

/** What may be said of a run; the rest it has from its session. */
export type RunWish = {
  notebook: string;
  parameters?: unknown;
  ref?: unknown;
  environment?: unknown;
  results?: unknown;
  hours?: unknown;
};

/**
 * A notebook of a session, run to its end without anybody watching: a job of its own, with the session's repository, data
 * and accelerators. Not a run on the session's machine, which is stopped when nobody uses it or its hours are over, and
 * has no one to bring results home or to go on after a crash; a job has all that, its own limits, and a cheaper machine.
 * The price is that it sees what is committed and pushed, not what is only on the session's disk.
 * @throws InvalidJob
 */
export function jobOfSession(
  { name, session }: SessionRecord,
  { notebook, parameters, ref, environment, results, hours }: RunWish,
  options: { allowFile: boolean },
): Job {
  const given = { parameters, environment, results };
  return readJob(
    {
      name: `${name} ${notebook.split('/').at(-1)}`.slice(0, 80),
      repository: session.repository,
      ref: ref ?? session.ref,
      notebook,
      inputs: session.data,
      accelerators: session.accelerators,
      disk: session.disk,
      limits: { hours: hours ?? session.hours },
      ...(session.regions ? { regions: session.regions } : {}),
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    },
    options,
  );
}
