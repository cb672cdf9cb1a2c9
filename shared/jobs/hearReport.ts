import type { Bucket } from '@google-cloud/storage';
import { NotYet } from '../once.ts';
import type { Publish } from '../publish.ts';
import { pagesOf } from '../storage/pagesOf.ts';
import { readObject } from '../storage/readObject.ts';
import { Unprocessable } from '../unprocessable.ts';
import { mayPlace } from './advance.ts';
import { changeJob } from './changeJob.ts';
import { isEnd, type JobRecord } from './jobRecord.ts';
import { type ReleaseDependencies, releaseAttempt } from './releaseAttempt.ts';
import {
  mostReportBytes,
  parseReport,
  type Report,
  type ReportName,
  reportName,
  reportNamed,
} from './report.ts';
import { costOf } from './spent.ts';
import { requestJob } from './submitJob.ts';

export type HearDependencies = ReleaseDependencies & { derived: Bucket; publish: Publish };

/**
 * Takes notice of a report: it counts for its attempt and in the order of its sequence, whenever it comes. When it says
 * that the attempt is over, the machine goes at once.
 * @throws Unprocessable if it is none, or of a job that is not known
 * @returns the job as it is then; undefined if the report is not there
 */
export async function hearReport(
  named: ReportName,
  generation: string | undefined,
  dependencies: HearDependencies,
): Promise<JobRecord | undefined> {
  const { derived, records, log, now } = dependencies;
  const file = derived.file(reportName(named), generation ? { generation } : {});
  // One byte more than a report may have shows that it has more.
  const content = await readObject(file, { end: mostReportBytes });
  if (!content) return undefined;
  const report = read(content.bytes, named);
  const at = new Date(now()).toISOString();
  const changed = await changeJob(records, named.job, { type: 'report', report, at });
  if (!changed) throw new Unprocessable(`${file.name} is about a job that is not known`);
  const { record } = changed;
  log.info('report', { job: record.id, attempt: report.attempt, phase: report.phase, state: record.state });
  return report.outcome ? finish(record, report, dependencies) : record;
}

/** What a machine has written and nobody was told of: messages may be lost, objects are not. */
export async function hearMissed(
  record: JobRecord,
  { number, sequence }: { number: number; sequence: number },
  dependencies: HearDependencies,
): Promise<JobRecord> {
  const prefix = reportName({ job: record.id, attempt: number, sequence: 1 }).replace(/[^/]+$/, '');
  const from = reportName({ job: record.id, attempt: number, sequence: sequence + 1 });
  let last: ReportName | undefined;
  for await (const { files } of pagesOf(dependencies.derived, prefix, { startOffset: from }))
    for (const { name } of files) last = reportNamed(name) ?? last;
  try {
    return (last && (await hearReport(last, undefined, dependencies))) ?? record;
  } catch (error) {
    // A job may write what it likes there. Then nothing was said.
    if (error instanceof Unprocessable) return record;
    throw error;
  }
}

function read(bytes: Buffer, named: ReportName): Report {
  try {
    return parseReport(bytes, named);
  } catch (error) {
    throw new Unprocessable(`a report of ${named.job} is not used: ${(error as Error).message}`);
  }
}

async function finish(
  record: JobRecord,
  { attempt, outcome }: Report,
  dependencies: HearDependencies,
): Promise<JobRecord> {
  const { publish, log, now } = dependencies;
  // What it could not bring is still on its disk, and it says how to get it. It goes by itself, or by the sweep.
  if (outcome === 'results-not-uploaded' && !record.cancelRequestedAt) return record;
  const { record: after, released } = await releaseAttempt(record, attempt, dependencies);
  if (!released) throw new NotYet(`the machine of attempt ${attempt} of ${record.id} is still there`);
  if (mayPlace(after)) await requestJob(publish, after.id);
  if (isEnd(after.state)) {
    const { dollars, complete } = costOf(after, now());
    log.info('job over', { job: after.id, state: after.state, reason: after.reason, dollars, complete });
  }
  return after;
}
