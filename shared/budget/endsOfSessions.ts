import type { Log } from '../log.ts';
import { sessionLabel } from '../sessions/instanceBody.ts';
import { readSession } from '../sessions/sessionRecord.ts';
import { BadRecord, type Records } from '../storage/records.ts';
import type { Running } from './running.ts';

/** With the ends of sessions: they stand in their records, and not on their machines. */
export async function withEndsOfSessions(
  running: Running[],
  { records, log }: { records: Records; log: Log },
): Promise<Running[]> {
  return Promise.all(
    running.map(async (one) => {
      const session = one.kind === 'machine' ? one.labels[sessionLabel] : undefined;
      if (session === undefined) return one;
      const endsAt = await endOf(session, one.zone, records, log);
      return endsAt === undefined ? one : { ...one, endsAt };
    }),
  );
}

async function endOf(session: string, zone: string, records: Records, log: Log): Promise<string | undefined> {
  try {
    const record = await readSession(records, session);
    return record?.state === 'running' && record.candidate?.zone === zone ? record.endsAt : undefined;
  } catch (error) {
    if (!(error instanceof BadRecord)) throw error;
    // Its cost is known all the same.
    log.error('when a session ends cannot be read', { session, error });
    return undefined;
  }
}
