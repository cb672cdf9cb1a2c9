import type { SessionDependencies, Step } from './dependencies.ts';
import type { Seen } from './instances.ts';
import { changeSession, moved, type SessionRecord } from './sessionRecord.ts';

/** So long Workbench has to say that there is no such instance before it is believed. */
const believed = 10 * 60_000;

/** What the instance says of itself now. */
export async function noteLook(
  record: SessionRecord,
  { link, machineId }: Seen,
  { records }: SessionDependencies,
): Promise<SessionRecord> {
  const isKnown =
    record.missingSince === undefined &&
    (link === undefined || link === record.link) &&
    (machineId === undefined || machineId === record.instanceId);
  if (isKnown) return record;
  const changed = await changeSession(records, record.name, (before) => {
    if (!before.candidate) return before;
    const { missingSince: _, ...rest } = before;
    return { ...rest, ...(link ? { link } : {}), ...(machineId ? { instanceId: machineId } : {}) };
  });
  return changed ?? record;
}

/** One answer that there is none may be wrong, and then what is paid would be forgotten. */
export async function gone(
  record: SessionRecord,
  seen: Seen | undefined,
  { records, log, now }: SessionDependencies,
): Promise<Step> {
  const at = new Date(now()).toISOString();
  const since = record.missingSince ?? at;
  const isExpected = record.wish === 'deleted' && record.action?.verb === 'delete';
  const isDeleted = seen?.state === 'DELETED';
  const isBelieved = isExpected || isDeleted || now() - Date.parse(since) >= believed;
  const reason = isExpected
    ? undefined
    : seen && !isDeleted
      ? 'another instance has its name'
      : 'its machine was deleted by somebody else';
  await changeSession(records, record.name, (before) => {
    if (before.state === 'deleted') return before;
    if (!isBelieved) return before.missingSince ? before : { ...before, missingSince: since };
    const { action: _, asked: __, link: ___, missingSince: ____, ...rest } = before;
    return { ...moved(rest, 'deleted', at, reason), wish: 'deleted' };
  });
  if (isBelieved) log.info('nothing is left of a session', { session: record.name, reason });
  return 'done';
}
