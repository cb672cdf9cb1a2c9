import { sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * An access token for a machine, by the local cloud's ordinary token flow: what Google's metadata server does out of
 * sight. https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export async function mintToken(origin: string, keyFile: string): Promise<object> {
  const { client_email, private_key, token_uri } = JSON.parse(await readFile(keyFile, 'utf8'));
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: client_email,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    aud: token_uri,
    iat: now,
    exp: now + 3600,
  };
  const signed = [{ alg: 'RS256', typ: 'JWT' }, claims].map(encode).join('.');
  const signature = sign('RSA-SHA256', Buffer.from(signed), private_key).toString('base64url');
  const answer = await fetch(`${origin}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: `${signed}.${signature}`,
    }),
  });
  if (!answer.ok) throw new Error(`No token for the machine: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as object;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
