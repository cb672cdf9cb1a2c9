import { IdleRecord, idleRecordName } from '../machines/idle/idleRecord.ts';
import type { SessionDependencies } from './dependencies.ts';
import type { SessionRecord } from './sessionRecord.ts';

/** By what the idle sweep has written down of its machine, or by somebody else. */
export async function whyStopped(
  { instanceId: id, startedAt = '', session }: SessionRecord,
  { records }: SessionDependencies,
): Promise<string> {
  const idle = id === undefined ? undefined : (await records.read(idleRecordName(id), IdleRecord))?.value;
  if (idle?.outcome && idle.outcome.at > startedAt && idle.outcome.what !== 'failed')
    return 'nobody used it, and the idle sweep has stopped it';
  return `it was stopped by Workbench, after ${session.idleMinutes} minutes without use, or by somebody else`;
}
