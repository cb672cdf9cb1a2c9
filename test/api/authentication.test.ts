import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { accountOf, audience, useApi } from './useApi.ts';

const api = useApi();

type Claims = Record<string, unknown>;

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const ourKey = () => readFileSync(join(api.cloud.dir, '.cloud', 'id-token-key.pem'), 'utf8');

/** A token with the header of a good one, and these claims in place of its own. */
async function forge(
  claims: Claims,
  header: Claims = {},
  signed = (text: string) => sign('RSA-SHA256', Buffer.from(text), ourKey()),
): Promise<string> {
  const [head = '', payload = ''] = (await api.token('admin')).split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims;
  const text = [
    { ...read(head), ...header },
    { ...read(payload), ...claims },
  ]
    .map(encode)
    .join('.');
  return `${text}.${signed(text).toString('base64url')}`;
}

const askWith = (authorization: string) => api.send('GET', '/v1/me', { authorization });
const now = Math.floor(Date.now() / 1000);
const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

test('the token of a member opens, and says who it is', async () => {
  const { status, text } = await askWith(`Bearer ${await forge({})}`);
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({
    email: accountOf('admin'),
    person: 'admin@lab.edu',
    role: 'admin',
    project: 'gazeline-local',
    rawBucket: 'raw',
    derivedBucket: 'derived',
    regions: ['us-east1'],
    isLocal: true,
  });
});

const bad: [string, () => Promise<string> | string][] = [
  ['signed with another key', () => forge({}, {}, (text) => sign('RSA-SHA256', Buffer.from(text), other))],
  ['signed with another key, under its own name', () => forge({}, { kid: 'mine' })],
  ['not signed, alg none', () => forge({}, { alg: 'none' }, () => Buffer.alloc(0))],
  [
    'signed by HS256 with the public key',
    () =>
      forge({}, { alg: 'HS256' }, (text) =>
        createHmac('sha256', createPublicKey(ourKey()).export({ type: 'spki', format: 'pem' }))
          .update(text)
          .digest(),
      ),
  ],
  ['said to be ES256', () => forge({}, { alg: 'ES256' })],
  ['expired', () => forge({ iat: now - 7200, exp: now - 3600 })],
  ['without an end', () => forge({ exp: undefined })],
  ['good for years', () => forge({ exp: now + 3e8 })],
  ['of the future', () => forge({ iat: now + 3600, exp: now + 7200 })],
  ['for another audience', () => forge({ aud: 'https://other.example.org' })],
  ['for an audience that begins alike', () => forge({ aud: `${audience}.evil.org` })],
  ['for several audiences', () => forge({ aud: [audience] })],
  ['without an audience', () => forge({ aud: undefined })],
  ['of another issuer', () => forge({ iss: 'https://accounts.evil.org' })],
  ['with an e-mail address that was not verified', () => forge({ email_verified: false })],
  ['whose address is verified in words', () => forge({ email_verified: 'true' })],
  ['without an e-mail address', () => forge({ email: undefined })],
  ['that is no token', () => 'abc'],
  ['of three empty parts', () => '..'],
  ['of nothing but JSON null', () => `${encode(null as never)}.${encode(null as never)}.x`],
];

test.each(bad)('a token %s is refused, and nothing is learnt', async (_what, token) => {
  const answer = await askWith(`Bearer ${await token()}`);
  expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  expect(answer.text).toBe((await api.send('GET', '/v1/me', {})).text);
  expect(answer.text).not.toMatch(/sign|expire|audience|issuer/i);
});

test.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'bearer', `Bearer ${'a'.repeat(10_000)}`])(
  'an Authorization that is “%.20s” is none',
  async (authorization) => {
    expect((await askWith(authorization)).status).toBe(401);
  },
);

test('nothing of a token is logged', async () => {
  const token = await forge({ aud: 'https://other.example.org' });
  await askWith(`Bearer ${token}`);
  expect(JSON.stringify(api.log.entries)).not.toContain(token.split('.')[1]);
});
