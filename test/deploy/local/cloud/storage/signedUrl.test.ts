import type { Bucket } from '@google-cloud/storage';
import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from './raw.ts';

const cloud = useLocalCloud();
let bucket: Bucket;
beforeAll(async () => {
  [bucket] = await (await clients.storage()).createBucket('signed');
});

const soon = () => Date.now() + 60_000;

test('whoever has a signed URL may read what it names, for as long as it says', async () => {
  const file = bucket.file("pages/Seite 1 (ü)'!*.txt");
  await file.save('words', { resumable: false, metadata: { contentType: 'text/plain; charset=utf-8' } });
  const [url] = await file.getSignedUrl({
    version: 'v4',
    action: 'read',
    expires: soon(),
    responseDisposition: 'attachment',
  });
  const answer = await call('GET', url);
  expect([answer.status, answer.body]).toEqual([200, 'words']);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(answer.headers.get('content-disposition')).toBe('attachment');
  const range = await call('GET', url, { headers: { Range: 'bytes=1-2' } });
  expect([range.status, range.body]).toEqual([206, 'or']);
});

test('a URL is refused once it has expired, with the XML that Google answers', async () => {
  const file = bucket.file('expiring');
  await file.save('x', { resumable: false });
  const [url] = await file.getSignedUrl({ version: 'v4', action: 'read', expires: Date.now() + 1000 });
  let answer = await call('GET', url);
  for (const deadline = Date.now() + 10_000; answer.status === 200 && Date.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer = await call('GET', url);
  }
  expect(answer.status).toBe(400);
  expect(answer.headers.get('content-type')).toMatch('application/xml');
  expect(answer.body).toMatch('<Code>ExpiredToken</Code>');
});

test('a URL is refused for anything that was not signed', async () => {
  const file = bucket.file('guarded');
  await file.save('x', { resumable: false });
  await bucket.file('other').save('secret', { resumable: false });
  const [url] = await file.getSignedUrl({ version: 'v4', action: 'read', expires: soon() });
  const tampered = [
    ['GET', url.replace('/guarded', '/other')],
    ['PUT', url],
    ['DELETE', url],
    ['GET', url.replace(/X-Goog-Expires=\d+/, 'X-Goog-Expires=604800')],
    ['GET', `${url}&generation=1`],
    ['GET', url.replace(/gazeline%40/, 'somebody%40')],
    ['GET', url.replace(/X-Goog-Signature=../, 'X-Goog-Signature=00')],
    ['GET', url.replace(/X-Goog-Signature=.*/, 'X-Goog-Signature=zz')],
  ] as const;
  for (const [method, changed] of tampered) {
    expect(changed === url && method === 'GET').toBe(false);
    const { status, body } = await call(method, changed);
    expect([changed, status]).toEqual([changed, 403]);
    expect(body).toMatch('<Code>SignatureDoesNotMatch</Code>');
  }
  for (const missing of ['Algorithm', 'Credential', 'Date', 'SignedHeaders', 'Expires']) {
    const { status } = await call('GET', url.replace(new RegExp(`X-Goog-${missing}=[^&]*&?`), ''));
    expect([missing, status]).toEqual([missing, 400]);
  }
});

test('a signed URL may let somebody write one object, of one type', async () => {
  const file = bucket.file('uploaded');
  const [url] = await file.getSignedUrl({
    version: 'v4',
    action: 'write',
    expires: soon(),
    contentType: 'text/csv',
  });
  const wrong = await call('PUT', url, { body: 'a,b', headers: { 'content-type': 'text/html' } });
  expect(wrong.status).toBe(403);
  expect((await call('PUT', url, { body: 'a,b', headers: { 'content-type': 'text/csv' } })).status).toBe(200);
  expect((await file.getMetadata())[0]).toMatchObject({ contentType: 'text/csv', size: '3' });

  const [resumable] = await file.getSignedUrl({ version: 'v4', action: 'resumable', expires: soon() });
  const session = await call('POST', resumable, { headers: { 'x-goog-resumable': 'start' } });
  expect(session.status).toBe(201);
  expect((await call('PUT', session.headers.get('location') ?? '', { body: 'resumed' })).status).toBe(200);
  expect((await file.download())[0].toString()).toBe('resumed');

  const [removal] = await file.getSignedUrl({ version: 'v4', action: 'delete', expires: soon() });
  expect((await call('DELETE', removal)).status).toBe(204);
  expect(await file.exists()).toEqual([false]);
  const [read] = await file.getSignedUrl({ version: 'v4', action: 'read', expires: soon() });
  const gone = await call('GET', read);
  expect([gone.status, gone.body]).toEqual([404, expect.stringContaining('<Code>NoSuchKey</Code>')]);
});

test('a batch makes several calls in one', async () => {
  for (const name of ['x', 'y']) await bucket.file(`batch/${name}`).save(name, { resumable: false });
  const parts = ['x', 'y', 'missing'].map(
    (name, index) =>
      `--B\r\nContent-Type: application/http\r\nContent-ID: <id+${index}>\r\n\r\nDELETE /storage/v1/b/signed/o/batch%2F${name} HTTP/1.1\r\nAccept: */*\r\n\r\n`,
  );
  const { status, headers, body } = await call('POST', `${cloud.origin}/batch/storage/v1`, {
    body: `${parts.join('\r\n')}\r\n--B--`,
    headers: { 'content-type': 'multipart/mixed; boundary="B"' },
  });
  expect([status, headers.get('content-type')]).toEqual([
    200,
    expect.stringMatching(/^multipart\/mixed; boundary=/),
  ]);
  expect(Array.from(body.matchAll(/HTTP\/1\.1 (\d+)/g), ([, code]) => code)).toEqual(['204', '204', '404']);
  expect(body).toMatch('Content-ID: <response-id+0>');
  expect((await bucket.getFiles({ prefix: 'batch/' }))[0]).toHaveLength(0);
});
