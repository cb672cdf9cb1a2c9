import * as z from 'zod';
import { jobIdPattern } from '../shared/jobs/jobId.ts';
import { type LookAfterDependencies, lookAfter } from '../shared/sessions/lookAfter.ts';

export const SessionRequested = z.object({ session: z.string().regex(jobIdPattern) });
export type SessionRequested = z.infer<typeof SessionRequested>;

/**
 * Brings a session to what its owner wants: running, stopped or deleted. Workbench takes minutes for each, so it does not
 * wait for the end: `session-sweep` looks each minute what has become of it.
 */
export async function sessionStart(
  { session }: SessionRequested,
  dependencies: LookAfterDependencies,
): Promise<void> {
  await lookAfter(session, dependencies);
}
