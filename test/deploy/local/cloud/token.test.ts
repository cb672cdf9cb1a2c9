import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { type GoogleAuth, OAuth2Client } from 'google-auth-library';
import { clients } from '../../../../shared/clients.ts';
import { useLocalCloud } from '../../../localCloud.ts';

const cloud = useLocalCloud();

test('an unknown path is refused in the shape of a Google error', async () => {
  const response = await fetch(`${cloud.origin}/nowhere`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
});

test('a token is refused for an assertion that was not signed with the key', async () => {
  const assertion = `${btoa('{"alg":"RS256"}')}.${btoa('{"iss":"somebody"}')}.c2ln`;
  const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
  const response = await fetch(`${cloud.origin}/token`, { method: 'POST', body });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: 'invalid_grant' });
});

test('a Google client gets its token by the ordinary service-account flow', async () => {
  const storage = await clients.storage();
  const token = await (storage.authClient as unknown as GoogleAuth).getAccessToken();
  expect(token).toMatch(/^local\./);
});

const audience = 'https://api.example.org';
const account = 'caller-ada@gazeline-local.iam.gserviceaccount.com';

/** Google's library, looking for certificates here. */
const verifier = () =>
  new OAuth2Client({ endpoints: { oauth2FederatedSignonPemCertsUrl: `${cloud.origin}/oauth2/v1/certs` } });

test('an ID token of a service account is good for who checks it with Google’s library', async () => {
  const response = await fetch(`${cloud.origin}/v1/projects/-/serviceAccounts/${account}:generateIdToken`, {
    method: 'POST',
    headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
    body: JSON.stringify({ audience, includeEmail: true }),
  });
  const { token: idToken } = (await response.json()) as { token: string };
  const ticket = await verifier().verifyIdToken({ idToken, audience });
  expect(ticket.getPayload()).toMatchObject({ aud: audience, email: account, email_verified: true });
  await expect(
    verifier().verifyIdToken({ idToken, audience: 'https://other.example.org' }),
  ).rejects.toThrow();
  const [header, claims] = idToken.split('.');
  await expect(verifier().verifyIdToken({ idToken: `${header}.${claims}.c2ln`, audience })).rejects.toThrow();
});

test('the certificate is one, of the key that the JWK holds', async () => {
  const certsOf = async (version: string) =>
    (await fetch(`${cloud.origin}/oauth2/${version}/certs`)).json() as Promise<never>;
  const certificates: Record<string, string> = await certsOf('v1');
  const { keys }: { keys: { n: string }[] } = await certsOf('v3');
  const [[kid, pem] = ['', '']] = Object.entries(certificates);
  const certificate = new X509Certificate(pem);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
  const [key] = keys;
  expect(key).toMatchObject({ kid, kty: 'RSA', alg: 'RS256' });
  expect(certificate.publicKey.export({ format: 'jwk' }).n).toBe(key?.n);
});

test('a key file gives an ID token for an audience, by the ordinary flow', async () => {
  const auth = (await clients.storage()).authClient as unknown as GoogleAuth;
  const client = await auth.getIdTokenClient(audience);
  const idToken = await client.idTokenProvider.fetchIdToken(audience);
  const ticket = await verifier().verifyIdToken({ idToken, audience });
  expect(ticket.getPayload()?.email).toBe('gazeline@gazeline-local.iam.gserviceaccount.com');
});

test('an access token in the name of another account is given to who asks for a scope', async () => {
  const ask = (body: object) =>
    fetch(`${cloud.origin}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`, {
      method: 'POST',
      headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const answer = await ask({ scope: ['https://www.googleapis.com/auth/cloud-platform'] });
  expect(await answer.json()).toEqual({
    accessToken: expect.stringMatching(/^local\./),
    expireTime: expect.any(String),
  });
  expect((await ask({})).status).toBe(400);
});

test('nobody gets an ID token without credentials, nor for nobody', async () => {
  const ask = (who: string, headers: Record<string, string>, body: object) =>
    fetch(`${cloud.origin}/v1/projects/-/serviceAccounts/${who}:generateIdToken`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const authorization = 'Bearer any';
  expect((await ask(account, {}, { audience })).status).toBe(401);
  expect((await ask('ada@lab.edu', { authorization }, { audience })).status).toBe(404);
  expect((await ask(account, { authorization }, {})).status).toBe(400);
});
