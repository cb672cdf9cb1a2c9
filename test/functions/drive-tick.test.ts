import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as z from 'zod';
import { driveTick } from '../../functions/drive-tick.ts';
import { isChannelToken } from '../../shared/drive/channelToken.ts';
import type { Records } from '../../shared/storage/records.ts';
import { forgetRequests, rememberLog, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openStudy, type Study } from './driveKit.ts';

const cloud = useLocalCloud();
const channelSecret = 'a secret of some length';
const Channels = z.array(z.looseObject({ id: z.string(), expiration: z.string() }));
const channelsRecord = 'drive/channels.json';
const hour = 3_600_000;
const day = 24 * hour;
const log = rememberLog();
let drains = 0;
let study: Study;
let records: Records;

const heard: IncomingHttpHeaders[] = [];
const webhook = createServer((request, response) => {
  heard.push(request.headers);
  response.writeHead(204).end();
});

beforeAll(async () => {
  webhook.listen(0, '127.0.0.1');
  study = await openStudy();
  records = study.dependencies.records;
});
afterAll(() => void webhook.close());
beforeEach(async () => {
  await setFaults(cloud);
  await records.remove(channelsRecord);
  await forgetRequests(cloud);
  drains = 0;
  heard.length = 0;
  log.entries.length = 0;
});

const webhookUrl = () => `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/drive-webhook`;
const tick = (
  time: number,
  overrides: { webhookUrl?: string | undefined; channelSecret?: string | undefined } = {},
) =>
  driveTick(
    { time: new Date(time) },
    {
      drive: study.drive,
      records,
      publishDrain: async () => {
        drains++;
      },
      webhookUrl: webhookUrl(),
      channelSecret,
      log,
      ...overrides,
    },
  );
const channels = async () => (await records.read(channelsRecord, Channels))?.value ?? [];
async function called(method: string): Promise<number> {
  return (await requestsAt(cloud, 'drive')).filter(({ url }) => url.includes(method)).length;
}
async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); await sleep(10))
    if (Date.now() > deadline) throw new Error('It did not come true');
}

test('where no webhook is allowed the feed is polled, and Drive is not asked for a channel', async () => {
  await tick(Date.now(), { webhookUrl: undefined, channelSecret: undefined });
  expect(drains).toBe(1);
  expect(await called('watch')).toBe(0);
});

test('a channel is opened once, for a week, and its pushes carry the token', async () => {
  const now = Date.now();
  await tick(now);
  await tick(now + 5 * 60_000);
  expect(drains).toBe(2);
  expect(await called('watch')).toBe(1);
  const [channel, ...others] = await channels();
  expect(others).toEqual([]);
  expect(channel).toMatchObject({ address: webhookUrl(), resourceId: expect.any(String) });
  expect(Date.parse(channel?.expiration ?? '') - now).toBeGreaterThan(6 * day);
  await until(() => heard.length > 0);
  const [sync] = heard;
  expect(sync).toMatchObject({ 'x-goog-resource-state': 'sync', 'x-goog-channel-id': channel?.id });
  expect(isChannelToken(channelSecret, channel?.id ?? '', String(sync?.['x-goog-channel-token']))).toBe(true);
});

test('a channel in its last day gets a successor first, and is stopped by the tick after that', async () => {
  const now = Date.now();
  // As at a tick six and a half days ago: half a day is left.
  await tick(now - 6.5 * day);
  const [old] = await channels();
  expect(Date.parse(old?.expiration ?? '')).toBeLessThan(now + day);
  await tick(now);
  const both = await channels();
  expect(both).toHaveLength(2);
  expect(await called('channels/stop')).toBe(0);
  await tick(now + 5 * 60_000);
  expect(await called('channels/stop')).toBe(1);
  expect((await channels()).map(({ id }) => id)).toEqual([both[1]?.id]);
  heard.length = 0;
  await study.file(study.dependencies.studyFolder, 'after.txt');
  await until(() => heard.length > 0);
  expect(new Set(heard.map((headers) => headers['x-goog-channel-id']))).not.toContain(old?.id);
});

test('a new address gets a channel of its own, and the old one is stopped', async () => {
  const now = Date.now();
  await tick(now, { webhookUrl: `${webhookUrl()}-old` });
  await tick(now);
  await tick(now);
  expect((await channels()).map(({ address }) => address)).toEqual([webhookUrl()]);
  expect(await called('channels/stop')).toBe(1);
});

test('a channel that is refused is an error in the log, and the polling goes on', async () => {
  await setFaults(cloud, {
    service: 'drive',
    kind: 'status',
    status: 401,
    reason: 'push.webhookUrlUnauthorized',
    path: '/changes/watch$',
  });
  for (let i = 0; i < 3; i++) await tick(Date.now());
  expect(drains).toBe(3);
  expect(log.entries.filter(({ severity }) => severity === 'ERROR')).toHaveLength(3);
  // What was refused is not kept: after a year of refusals the record would be too large to be read.
  expect(await channels()).toEqual([]);
});

test('a channel that is gone already when it is to be stopped is forgotten', async () => {
  const now = Date.now();
  await tick(now - 6.5 * day);
  await tick(now);
  await setFaults(cloud, {
    service: 'drive',
    kind: 'status',
    status: 404,
    reason: 'notFound',
    path: 'channels/stop$',
  });
  await tick(now);
  expect(await channels()).toHaveLength(1);
  expect(log.entries.filter(({ severity }) => severity === 'ERROR')).toEqual([]);
});

test('a channel that cannot be stopped now is stopped later', async () => {
  const now = Date.now();
  await tick(now - 6.5 * day);
  await tick(now);
  await setFaults(cloud, {
    service: 'drive',
    kind: 'status',
    status: 403,
    reason: 'forbidden',
    path: 'channels/stop$',
  });
  await tick(now);
  expect(await channels()).toHaveLength(2);
  await setFaults(cloud);
  await tick(now);
  expect(await channels()).toHaveLength(1);
});

test('a webhook without a secret is a mistake that is told, after the poll', async () => {
  await expect(tick(Date.now(), { channelSecret: undefined })).rejects.toThrow('GAZELINE_CHANNEL_SECRET');
  expect(drains).toBe(1);
});
