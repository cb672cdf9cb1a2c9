import { config } from '../../shared/config.ts';
import { Refusal } from '../../shared/refusal.ts';
import { userName } from '../../shared/userName.ts';

/**
 * Whose session it is to be: only they are let in. By the account that is signed in, or by name.
 * @throws Refusal if that is nobody's
 */
export async function ownerOf(given: string | undefined): Promise<string> {
  if (given !== undefined) {
    if (!/^[^\s@]{1,100}@[^\s@]{1,150}$/.test(given)) throw new Refusal(`“${given}” is no e-mail address.`);
    return given;
  }
  if (config().localCloud) return userName();
  const { GoogleAuth } = (await import('google-auth-library')).default;
  const client = await new GoogleAuth({
    scopes: 'https://www.googleapis.com/auth/userinfo.email',
  }).getClient();
  const { token } = await client.getAccessToken();
  const email =
    token && 'getTokenInfo' in client
      ? (await client.getTokenInfo(token).catch(() => undefined))?.email
      : undefined;
  if (!email || email.endsWith('.gserviceaccount.com'))
    throw new Refusal(
      'Whose session it is cannot be told from the credentials here. Say so with --owner ada@lab.edu.',
    );
  return email;
}
