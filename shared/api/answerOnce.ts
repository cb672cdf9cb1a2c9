import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Records } from '../storage/records.ts';
import type { Answer } from '../trigger.ts';
import { Refused } from './refused.ts';

/** What is known of a request that came with a key. */
const Kept = z.object({
  /** What it asked for, as a digest: the same key is the same request. */
  digest: z.string(),
  at: z.iso.datetime(),
  /** Somebody is at it until then at the latest. */
  busyUntil: z.iso.datetime().optional(),
  answer: z
    .object({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.string() })
    .optional(),
});
type Kept = z.infer<typeof Kept>;

export type Once = {
  records: Records;
  /** How long a request may take; who has not answered by then has died. Milliseconds, as all of these. */
  lease: number;
  /** How long to wait for somebody who is at the same request. */
  patience: number;
  now: () => number;
  wait: (ms: number) => Promise<void>;
};

/** As long as Stripe keeps them, after whose keys these are made. */
const keptFor = 24 * 3_600_000;

/**
 * Answers a request that may come several times, also at the same time: one of them works, and all have its answer. If
 * that one dies, the next works again after the lease; so what `work` does is to be safe to repeat as well, and the key
 * is what it goes by. An error and a refusal are not kept.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 * @param key of one caller, fit for a name
 * @param isSecret the answer is not kept but worked out again
 */
export async function answerOnce(
  { key, request, isSecret }: { key: string; request: unknown; isSecret: boolean },
  work: () => Promise<Answer>,
  { records, lease, patience, now, wait }: Once,
): Promise<Answer> {
  const name = `idempotency/${key}.json`;
  const digest = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const iso = (ms: number) => new Date(ms).toISOString();
  const since = now();
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
    const before = await records.read(name, Kept);
    const kept = before && now() - Date.parse(before.value.at) < keptFor ? before.value : undefined;
    if (kept && kept.digest !== digest)
      throw new Refused(422, 'This Idempotency-Key was used for another request.');
    if (kept?.answer) return { ...kept.answer, headers: { ...kept.answer.headers, ...repeated } };
    if (kept?.busyUntil && now() < Date.parse(kept.busyUntil)) {
      if (now() - since >= patience)
        throw new Refused(409, 'The same request is being worked on.', { headers: { 'retry-after': '5' } });
      await wait(pause);
      continue;
    }
    const claim: Kept = { digest, at: iso(now()), busyUntil: iso(now() + lease) };
    const generation = await records.write(name, claim, before?.generation ?? '0');
    if (!generation) continue;
    try {
      const answer = await work();
      const { status, headers = {}, body } = answer;
      const done: Kept = { digest, at: claim.at };
      if (!isSecret) done.answer = { status, headers, body: String(body) };
      await records.write(name, done, generation);
      return answer;
    } catch (error) {
      await records.remove(name, generation);
      throw error;
    }
  }
}

const repeated = { 'idempotency-replayed': 'true' };
