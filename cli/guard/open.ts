import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { publishTo } from '../../shared/publish.ts';
import { Refusal } from '../../shared/refusal.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { userName } from '../../shared/userName.ts';

/** What a person changes the guard through, and who they are. */
export async function openGuard() {
  const { stateBucket, project, budgetPeriod, localCloud } = config();
  const [storage, pubsub] = await Promise.all([clients.storage(), clients.pubsub()]);
  return {
    records: recordsIn(storage, stateBucket),
    publish: publishTo(pubsub, project),
    periodKind: budgetPeriod,
    by: userName(),
    isLocal: localCloud !== undefined,
  };
}

const longest = 500;

/** @throws Refusal if it says nothing */
export function reasonIn(text: string): string {
  const reason = text.trim();
  if (reason === '') throw new Refusal('Say why, for those who look later: --why "…".');
  return reason.slice(0, longest);
}
