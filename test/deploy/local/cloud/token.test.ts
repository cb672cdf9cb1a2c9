import { expect, test } from '@jest/globals';
import type { GoogleAuth } from 'google-auth-library';
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
