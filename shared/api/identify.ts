import type { Log } from '../log.ts';
import type { Caller, CallerOf } from './access.ts';
import { Refused } from './refused.ts';

/** @returns the e-mail address that Google vouches for; undefined if the token is not good */
export type CheckIdToken = (token: string) => Promise<string | undefined>;

export type Door = { checkIdToken: CheckIdToken; callerOf: CallerOf };

/**
 * Who calls. Somebody without a good token learns nothing but that one is needed.
 * @throws Refused 401 or 403
 */
export async function identify(
  authorization: string | undefined,
  { checkIdToken, callerOf }: Door,
  log: Log,
): Promise<Caller> {
  // A token of Google's has about a kilobyte.
  const [, token] = /^Bearer ([\w.~+/=-]{1,8192})$/i.exec(authorization ?? '') ?? [];
  const email = token && (await checkIdToken(token));
  if (!email)
    throw new Refused(401, 'An ID token for this address is needed.', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  const caller = await callerOf(email, log);
  if (!caller) throw new Refused(403, 'This account is not a member of the lab.');
  return caller;
}
