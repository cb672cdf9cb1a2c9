import type { Bucket } from '@google-cloud/storage';
import { mayPlace } from '../shared/jobs/advance.ts';
import { changeJob } from '../shared/jobs/changeJob.ts';
import { isEnd, type JobRecord } from '../shared/jobs/jobRecord.ts';
import { type ReleaseDependencies, releaseAttempt } from '../shared/jobs/releaseAttempt.ts';
import { mostReportBytes, parseReport, type Report, reportNamed } from '../shared/jobs/report.ts';
import { costOf } from '../shared/jobs/spent.ts';
import { requestJob } from '../shared/jobs/submitJob.ts';
import { NotYet } from '../shared/once.ts';
import type { Publish } from '../shared/publish.ts';
import { readObject } from '../shared/storage/readObject.ts';
import type { ObjectArrived } from '../shared/trigger.ts';
import { Unprocessable } from '../shared/unprocessable.ts';

export type JobEventDependencies = ReleaseDependencies & { derived: Bucket; publish: Publish };

/**
 * A machine has reported. What it says is about its attempt and in the order of its sequence, whenever it comes and
 * whatever its clock says. When an attempt is over, its machine goes at once.
 */
export async function jobEvent(
  { name, generation }: ObjectArrived,
  dependencies: JobEventDependencies,
): Promise<void> {
  const { derived, records, log, now } = dependencies;
  const named = reportNamed(name);
  if (!named) return;
  // One byte more than a report may have shows that it has more.
  const content = await readObject(derived.file(name, { generation }), { end: mostReportBytes });
  if (!content) return;
  const report = readReport(content.bytes, named);
  const at = new Date(now()).toISOString();
  const changed = await changeJob(records, named.job, { type: 'report', report, at });
  if (!changed) throw new Unprocessable(`${name} is about a job that is not known`);
  const { record } = changed;
  log.info('report', { job: record.id, attempt: report.attempt, phase: report.phase, state: record.state });
  if (report.outcome) await afterwards(record, report, dependencies);
}

function readReport(bytes: Buffer, named: NonNullable<ReturnType<typeof reportNamed>>): Report {
  try {
    return parseReport(bytes, named);
  } catch (error) {
    throw new Unprocessable(`a report of ${named.job} is not used: ${(error as Error).message}`);
  }
}

async function afterwards(
  record: JobRecord,
  { attempt, outcome }: Report,
  dependencies: JobEventDependencies,
): Promise<void> {
  const { publish, log, now } = dependencies;
  // What it could not bring is still on its disk, and it says how to get it. It goes by itself, or by the sweep.
  if (outcome === 'results-not-uploaded' && !record.cancelRequestedAt) return;
  const { record: after, released } = await releaseAttempt(record, attempt, dependencies);
  if (!released) throw new NotYet(`the machine of attempt ${attempt} of ${record.id} is still there`);
  if (mayPlace(after)) await requestJob(publish, after.id);
  if (isEnd(after.state)) {
    const { dollars, complete } = costOf(after, now());
    log.info('job over', { job: after.id, state: after.state, reason: after.reason, dollars, complete });
  }
}
