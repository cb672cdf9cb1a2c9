import * as z from 'zod';
import type { Log } from '../log.ts';
import type { Records } from '../storage/records.ts';
import { Refused } from './refused.ts';
import { Role } from './roles.ts';

export const accessRecordName = 'access.json';

/** Who costs are counted for, and who owns jobs; for a service account, the person behind it. */
const Person = z.string().trim().min(1).max(320);

/**
 * Who may call the API, in the state bucket:
 *
 *     {"members": {"ada@lab.edu": "admin", "caller-bob@….iam.gserviceaccount.com": {"role": "runner", "person": "bob@lab.edu"}}}
 */
export const Access = z.strictObject({
  members: z.record(
    z.string().regex(/^[^\s@]{1,200}@[^\s@]{1,200}$/, 'expected an e-mail address'),
    z.union(
      [Role.transform((role) => ({ role })), z.strictObject({ role: Role, person: Person.optional() })],
      {
        error: 'expected reader, runner or admin, or {"role": …, "person": …}',
      },
    ),
  ),
});

export type Caller = { email: string; person: string; role: Role };

/** @returns undefined for who is not in the file */
export type CallerOf = (email: string, log: Log) => Promise<Caller | undefined>;

type Members = Map<string, Caller>;

/**
 * Looks callers up in the file, which is read again when what is known is older than `freshness`; milliseconds. A file
 * that cannot be understood changes nothing: who was in the last good one keeps what they had, and nobody gets more.
 */
export function accessIn(
  records: Records,
  { freshness, now }: { freshness: number; now: () => number },
): CallerOf {
  let known: Members | undefined;
  let reading: Promise<void> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  const read = async (log: Log) => {
    const at = now();
    try {
      const access = await records.read(accessRecordName, Access);
      if (!access) log.warning('there is no access.json in the state bucket: nobody may use the API');
      known = membersOf(access?.value);
    } catch (error) {
      log.error('access.json in the state bucket cannot be used; what it said before holds on', { error });
    }
    readAt = at;
  };

  return async (email, log) => {
    if (now() - readAt >= freshness) {
      reading ??= read(log).finally(() => {
        reading = undefined;
      });
      await reading;
    }
    if (!known)
      throw new Refused(503, 'Who may use this cannot be read now. The log of the function says why.', {
        headers: { 'retry-after': '5' },
      });
    return known.get(email.toLowerCase());
  };
}

function membersOf(access: z.infer<typeof Access> | undefined): Members {
  return new Map(
    Object.entries(access?.members ?? {}).map(([written, member]) => {
      const email = written.toLowerCase();
      const { role, person = email } = { person: undefined, ...member };
      return [email, { email, person: person ?? email, role }];
    }),
  );
}
