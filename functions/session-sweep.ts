import { type LookAfterDependencies, nextStep } from '../shared/sessions/lookAfter.ts';
import { requestSession } from '../shared/sessions/requestSession.ts';
import {
  ActiveSession,
  activeSessionName,
  activeSessions,
  isOver,
  readSession,
} from '../shared/sessions/sessionRecord.ts';

/**
 * Looks after all sessions each minute: goes on with those that something is under way of, stops those whose hours are
 * over, and writes down what others have done: Workbench's idle shutdown, the idle sweep, somebody in the console.
 */
export async function sessionSweep(
  { time }: { time: Date },
  dependencies: Omit<LookAfterDependencies, 'deadline' | 'pause'>,
): Promise<void> {
  const { records, publish, log } = dependencies;
  for await (const file of records.list(activeSessions)) {
    const name = file.slice(activeSessions.length, -'.json'.length);
    try {
      const record = await readSession(records, name);
      if (!record || isOver(record)) {
        await forget(name, dependencies);
        continue;
      }
      // Whoever starts one that is stopped by hand is noticed within the hour.
      if (record.state === 'stopped' && time.getUTCMinutes() !== 0) continue;
      const isAtRest = record.state === 'running' || record.state === 'stopped';
      if (!isAtRest || (await nextStep(record, dependencies)) !== 'done') await requestSession(publish, name);
    } catch (error) {
      // One that is in trouble must not keep the others.
      log.error('a session could not be looked after, and will be again', { session: name, error });
    }
  }
}

/** Its marker is written before its record: one that is new may be of a session that is just being begun anew. */
async function forget(
  name: string,
  { records, now }: Pick<LookAfterDependencies, 'records' | 'now'>,
): Promise<void> {
  const marker = await records.read(activeSessionName(name), ActiveSession);
  if (!marker || now() - Date.parse(marker.value.since) < 60_000) return;
  const record = await readSession(records, name);
  if (!record || isOver(record)) await records.remove(activeSessionName(name), marker.generation);
}
