import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { GoogleAuth } from 'google-auth-library';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients, openDrive } from '../../../shared/clients.ts';
import { type Cost, metered } from '../../../shared/drive/metered.ts';
import { createPace } from '../../../shared/drive/pace.ts';
import { paced } from '../../../shared/drive/pacedRequests.ts';
import { unitsOf } from '../../../shared/drive/quotaUnits.ts';
import { refusalOf } from '../../../shared/drive/refusal.ts';
import { forgetRequests, requestsAt, setFaults } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
/** The back-off is a twentieth of a second, then a tenth, and so on. */
const random = () => 0.1;

beforeAll(async () => {
  await (await clients.storage()).createBucket('state');
});
beforeEach(async () => {
  await (await clients.storage()).bucket('state').file('drive/pace.json').delete({ ignoreNotFound: true });
  drive = await openDrive({ random, backOff: 500 });
  await forgetRequests(cloud);
});
afterEach(async () => setFaults(cloud));

const fault = (fields: object) => setFaults(cloud, { service: 'drive', kind: 'status', ...fields });
const ask = (from = drive) => from.files.list({ fields: 'files(id)' });
const arrived = async () => (await requestsAt(cloud, 'drive')).map(({ status }) => status);
const holdRecord = async () => (await clients.storage()).bucket('state').file('drive/pace.json');
/** When the hold that the other processes are told of ends; waits until they are. */
async function recordedHold(): Promise<number> {
  const record = await holdRecord();
  while (!(await record.exists())[0]) await new Promise((resolve) => setTimeout(resolve, 5));
  return Date.parse(JSON.parse(String((await record.download())[0])).until);
}
const timed = async (work: () => Promise<unknown>) => {
  const began = Date.now();
  await work();
  return Date.now() - began;
};

const slowDowns: [number, string][] = [
  [403, 'userRateLimitExceeded'],
  [403, 'rateLimitExceeded'],
  [429, 'rateLimitExceeded'],
];
test.each(slowDowns)('%i %s is tried again and succeeds', async (status, reason) => {
  await fault({ status, reason, times: 2 });
  await ask();
  expect(await arrived()).toEqual([status, status, 200]);
});

const finals = ['insufficientFilePermissions', 'cannotDownloadAbusiveFile', 'neverHeardOf'];
test.each(finals)('403 %s reaches Drive once', async (reason) => {
  await fault({ status: 403, reason });
  await expect(ask()).rejects.toMatchObject({ status: 403 });
  expect(await arrived()).toEqual([403]);
});

test.each(['dailyLimitExceeded', 'downloadQuotaExceeded'])(
  'a daily limit is not tried again: %s',
  async (reason) => {
    await fault({ status: 403, reason });
    await expect(ask()).rejects.toMatchObject({ status: 403 });
    expect(await arrived()).toEqual([403]);
  },
);

test('503 is tried again, and so is a connection that breaks', async () => {
  await fault({ status: 503, times: 1 });
  await ask();
  await setFaults(cloud, { service: 'drive', kind: 'cut', times: 1 });
  await ask();
  // A connection that was cut is noted with the status that it would have had.
  expect(await arrived()).toEqual([503, 200, 200, 200]);
});

test('what may have been done already is not done again, unless Drive said that it was too fast for it', async () => {
  const create = () => drive.files.create({ requestBody: { name: 'new' } });
  await fault({ status: 503, method: 'POST' });
  await expect(create()).rejects.toMatchObject({ status: 503 });
  expect(await arrived()).toEqual([503]);
  await fault({ status: 429, method: 'POST', times: 1 });
  await create();
  expect(await arrived()).toEqual([503, 429, 200]);
});

test('429 with Retry-After waits at least that long', async () => {
  await fault({ status: 429, retryAfter: 1, times: 1 });
  expect(await timed(ask)).toBeGreaterThanOrEqual(1000);
});

test('Retry-After may be a date, and the answer need not be JSON', async () => {
  // The local cloud says seconds, as Google does; a date is what a proxy on the way may say.
  let answers = 0;
  const proxy = createServer((_request, response) => {
    const inTwoSeconds = new Date(Date.now() + 2000).toUTCString();
    if (answers++ === 0) response.writeHead(503, { 'retry-after': inTwoSeconds }).end('<html>busy</html>');
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"files":[]}');
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port } = proxy.address() as AddressInfo;
  const Drive = drive.constructor as typeof drive_v3.Drive;
  const behind = new Drive({ ...drive.context._options, rootUrl: `http://127.0.0.1:${port}/` });
  try {
    // A date has no fractions of a second.
    expect(await timed(() => ask(behind))).toBeGreaterThan(900);
    expect(answers).toBe(2);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});

test('a Retry-After that is longer than a request has patience is not waited for, by nobody', async () => {
  await fault({ status: 429, retryAfter: 100, times: 1 });
  await expect(ask()).rejects.toMatchObject({ status: 429 });
  await recordedHold();
  const next = await ask().catch((error: unknown) => error);
  expect(refusalOf(next)).toEqual({ kind: 'slow-down', reason: 'heldBack' });
  expect(await arrived()).toEqual([429]);
});

test('while one request backs off no other leaves', async () => {
  await fault({ status: 429, retryAfter: 1, times: 1 });
  const first = ask();
  while ((await arrived()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await timed(ask)).toBeGreaterThan(800);
  await first;
  expect(await arrived()).toEqual([429, 200, 200]);
});

test('a second process waits too', async () => {
  await fault({ status: 429, retryAfter: 2, times: 1 });
  const first = ask();
  await recordedHold();
  const second = await openDrive({ random });
  expect(await timed(() => ask(second))).toBeGreaterThan(1000);
  await first;
  expect(await arrived()).toEqual([429, 200, 200]);
});

test('a hold of the other processes is only ever raised', async () => {
  await fault({ status: 429, retryAfter: 2, times: 2 });
  // Both leave before the first is answered.
  const both = [ask(), ask(await openDrive({ random }))];
  const before = await recordedHold();
  await Promise.all(both);
  expect(await recordedHold()).toBeGreaterThanOrEqual(before);
  const other = await openDrive({ random, shared: undefined });
  await fault({ status: 429, times: 1 });
  await ask(other);
  expect(await recordedHold()).toBeGreaterThanOrEqual(before);
});

test('a hold that only a wrong clock can have said holds nobody', async () => {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  const options = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } };
  await (await holdRecord()).save(JSON.stringify({ until: tomorrow }), options);
  await fault({ status: 429, times: 1 });
  await ask();
  expect(await arrived()).toEqual([429, 200]);
  // It is written down beside the requests, and nobody waits for that.
  for (let tries = 0; tries < 100 && (await recordedHold()) > Date.now(); tries++) await sleep(50);
  expect(await recordedHold()).toBeLessThan(Date.now());
});

test('a state bucket that refuses holds nobody up', async () => {
  await setFaults(
    cloud,
    { service: 'storage', kind: 'status', status: 403, path: 'pace' },
    { service: 'drive', kind: 'status', status: 429, times: 1 },
  );
  await ask();
  expect(await arrived()).toEqual([429, 200]);
});

test('a state bucket that takes its time holds nobody up for longer than a second', async () => {
  await setFaults(
    cloud,
    { service: 'storage', kind: 'latency', ms: 2_500, path: 'pace' },
    { service: 'drive', kind: 'status', status: 429, times: 1 },
  );
  expect(await timed(ask)).toBeLessThan(2_000);
  expect(await arrived()).toEqual([429, 200]);
  // The others are told all the same.
  await setFaults(cloud);
  await recordedHold();
});

test('the state bucket is asked once for many requests', async () => {
  await Promise.all(Array.from({ length: 20 }, () => ask()));
  expect((await requestsAt(cloud, 'storage')).filter(({ url }) => url.includes('pace'))).toHaveLength(1);
});

test('a request that fails each time is tried nine times, and the first back-off can be a millisecond', async () => {
  await fault({ status: 503 });
  const quick = await openDrive({ backOff: 1 });
  const took = timed(() => expect(ask(quick)).rejects.toMatchObject({ status: 503 }));
  expect(await took).toBeLessThan(1_000);
  expect(await arrived()).toEqual(Array(9).fill(503));
});

test('what is asked for beside the API, like an export link, has its pace, its retries and its cost', async () => {
  const { auth } = drive.context._options as { auth: GoogleAuth };
  const url = `${cloud.origin}/feeds/download/documents/export/Export?id=x&exportFormat=txt`;
  const follow = () => auth.request({ url, responseType: 'stream', ...paced(drive) });
  await fault({ status: 403, reason: 'rateLimitExceeded', times: 1 });
  const cost: Cost = { units: 0, requests: 0 };
  // There is no such file.
  const error = await metered(cost, follow).catch((error: unknown) => error);
  expect(refusalOf(error)).toMatchObject({ kind: 'gone' });
  expect(await arrived()).toEqual([403, 404]);
  expect(cost).toEqual({ units: 400, requests: 2 });
});

test('a request gives up when its patience is over', async () => {
  await fault({ status: 503 });
  const impatient = await openDrive({ random, patience: 250 });
  await expect(ask(impatient)).rejects.toMatchObject({ status: 503 });
  // After 100 ms, but not after 200 ms more.
  expect(await arrived()).toEqual([503, 503]);
});

test('an export that is answered with a server’s error is tried twice, and no more', async () => {
  await fault({ status: 502, path: '/export$' });
  const exporting = drive.files.export({ fileId: 'x', mimeType: 'text/plain' }, { responseType: 'stream' });
  await expect(exporting).rejects.toMatchObject({ status: 502 });
  expect(await arrived()).toEqual([502, 502]);
});

test.each(['stream', 'arraybuffer'] as const)(
  'a download’s 403 reason is known although its body was to be a %s',
  async (responseType) => {
    const { data } = await drive.files.create({ requestBody: { name: 'a' }, media: { body: 'content' } });
    const download = () =>
      drive.files.get({ fileId: data.id as string, alt: 'media' }, { responseType } as {
        responseType: 'stream';
      });
    await forgetRequests(cloud);
    await fault({ status: 403, reason: 'userRateLimitExceeded', times: 1 });
    await download();
    await fault({ status: 403, reason: 'downloadQuotaExceeded', times: 1 });
    const error = await download().catch((error: unknown) => error);
    expect(refusalOf(error)).toEqual({ kind: 'daily', reason: 'downloadQuotaExceeded' });
    expect(await arrived()).toEqual([403, 200, 403]);
  },
);

test('no token is in an error', async () => {
  const { auth } = drive.context._options as { auth: { getAccessToken(): Promise<string> } };
  const token = await auth.getAccessToken();
  await fault({ status: 403, reason: 'userRateLimitExceeded', times: 1 });
  const giveUp = await openDrive({ random, patience: 0 });
  const error = await ask(giveUp).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(Error);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(token);
});

const costs: [string, string, number][] = [
  ['GET', 'files/1a?fields=id', 5],
  ['GET', 'changes/startPageToken', 5],
  ['GET', 'about', 5],
  ['GET', 'files?q=x', 100],
  ['GET', 'changes?pageToken=1', 100],
  ['GET', 'files/1a?alt=media', 200],
  ['GET', 'files/1a/revisions/2?alt=media', 200],
  ['GET', 'files/1a/export?mimeType=text/plain', 200],
  ['POST', 'files/1a/download', 200],
  ['POST', 'files', 50],
  ['PATCH', 'files/1a', 50],
  ['POST', 'changes/watch', 50],
  ['POST', 'channels/stop', 50],
];
test.each(costs)('%s %s costs %i units', (method, path, units) => {
  expect(unitsOf(method, new URL(`https://www.googleapis.com/drive/v3/${path}`))).toBe(units);
});

test('an upload costs an edit, and a link outside the API a download', () => {
  expect(unitsOf('POST', new URL('https://www.googleapis.com/upload/drive/v3/files'))).toBe(50);
  expect(unitsOf('GET', new URL('https://docs.google.com/spreadsheets/export?id=1a'))).toBe(200);
});

test('each function knows what its own requests cost, its retries too, and an outer one those of an inner one', async () => {
  await fault({ status: 429, path: '/files$', times: 1 });
  const [outer, inner, beside] = Array.from({ length: 3 }, () => ({ units: 0, requests: 0 })) as [
    Cost,
    Cost,
    Cost,
  ];
  await Promise.all([
    metered(outer, async () => {
      await metered(inner, () => ask());
      await drive.about.get({ fields: 'user' });
    }),
    metered(beside, () => drive.changes.getStartPageToken()),
  ]);
  expect(inner).toEqual({ units: 200, requests: 2 });
  expect(outer).toEqual({ units: 205, requests: 3 });
  expect(beside).toEqual({ units: 5, requests: 1 });
});

test('what failed has its cost as well', async () => {
  await fault({ status: 403, reason: 'insufficientFilePermissions', path: '/files$', times: 1 });
  const cost: Cost = { units: 0, requests: 0 };
  await expect(metered(cost, () => ask())).rejects.toThrow();
  expect(cost).toEqual({ units: 100, requests: 1 });
});

/** A pace in simulated time; p-throttle has no other clock than the global one. */
const simulated = (unitsPerMinute: number) =>
  createPace({
    unitsPerMinute,
    patience: Number.POSITIVE_INFINITY,
    backOff: 1_000,
    now: Date.now,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => 0.5,
  });

test('the quota-unit budget is never exceeded in any simulated minute', async () => {
  const arrival = fc.record({
    after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
    units: fc.constantFrom(5, 50, 100, 200),
    hold: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5_000) }),
  });
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  process.stdout.write(`seed ${seed}\n`);
  jest.useFakeTimers();
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 200, max: 6_000 }),
        fc.array(arrival, { maxLength: 150, size: 'max' }),
        async (limit, arrivals) => {
          const pace = simulated(limit);
          const left: { time: number; units: number }[] = [];
          for (const { after, units, hold } of arrivals) {
            await jest.advanceTimersByTimeAsync(after);
            if (hold) pace.holdUntil(Date.now() + hold);
            void pace.take(units).then(() => left.push({ time: Date.now(), units }));
          }
          await jest.advanceTimersByTimeAsync(arrivals.length * 64_000);
          expect(left).toHaveLength(arrivals.length);
          for (const { time: from } of left) {
            const minute = left.filter(({ time }) => time >= from && time < from + 60_000);
            expect(minute.reduce((sum, { units }) => sum + units, 0)).toBeLessThanOrEqual(limit);
          }
        },
      ),
      { seed, numRuns: 100 },
    );
  } finally {
    jest.useRealTimers();
  }
});

test('a whole minute’s units may be spent at once, and ten thousand waiting requests are no work', async () => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  try {
    const pace = simulated(300_000);
    let left = 0;
    const began = performance.now();
    for (let i = 0; i < 10_000; i++) void pace.take(200).then(() => left++);
    await jest.advanceTimersByTimeAsync(0);
    expect(left).toBe(1500);
    // The next ones come evenly.
    await jest.advanceTimersByTimeAsync(2 * 63_000);
    expect(left).toBeGreaterThanOrEqual(2985);
    expect(left).toBeLessThanOrEqual(3015);
    await jest.advanceTimersByTimeAsync(5 * 63_000);
    expect(left).toBe(10_000);
    expect(performance.now() - began).toBeLessThan(2_000);
  } finally {
    jest.useRealTimers();
  }
});

test('those that were held do not leave all at once', async () => {
  jest.useFakeTimers();
  try {
    let draws = 0;
    const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    const random = () => draws++ / 10;
    const pace = createPace({
      unitsPerMinute: 300_000,
      patience: 60_000,
      backOff: 1_000,
      now: Date.now,
      wait,
      random,
    });
    const began = Date.now();
    pace.holdUntil(began + 2_000);
    const times: number[] = [];
    for (let i = 0; i < 10; i++) void pace.take(5).then(() => times.push(Date.now() - began));
    await jest.advanceTimersByTimeAsync(3_000);
    expect(times).toEqual([2000, 2100, 2200, 2300, 2400, 2500, 2600, 2700, 2800, 2900]);
  } finally {
    jest.useRealTimers();
  }
});
