import { isOpenForWork } from '../budget/isOpenForWork.ts';
import type { Candidate } from '../machines/candidate.ts';
import { Cooldown, cooldownRecord, noCooldown } from '../machines/cooldown.ts';
import { leftToTry } from '../machines/order.ts';
import type { PriceTable } from '../machines/priceTable.ts';
import type { Records } from '../storage/records.ts';
import { sessionCandidates } from './candidates.ts';
import type { Session } from './session.ts';

/** What a session would run on now, by the same rules as it is going to be; or why it would be refused. */
export async function quoteSession(
  session: Session,
  { records, prices, regions }: { records: Records; prices: PriceTable; regions: string[] | undefined },
  now: number,
): Promise<{ candidate: Candidate; isSoldOut: boolean } | { refusal: string }> {
  const open = await isOpenForWork(records, now);
  if (!open.isOpen) return { refusal: open.reason };
  const candidates = sessionCandidates(session, prices, regions);
  const cooldown = (await records.read(cooldownRecord, Cooldown))?.value ?? noCooldown;
  const [next] = leftToTry(candidates, cooldown, now);
  const candidate = next ?? candidates[0];
  if (!candidate) return { refusal: 'nobody offers such a machine on demand where it may be' };
  return { candidate, isSoldOut: next === undefined };
}
