import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { driveWebhook, Notification } from '../../functions/drive-webhook.ts';
import { clients } from '../../shared/clients.ts';
import { coalesce } from '../../shared/coalesce.ts';
import { channelToken } from '../../shared/drive/channelToken.ts';
import { drainBegins, publishDrain, requestDrain } from '../../shared/drive/requestDrain.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { rememberPublish, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';

const cloud = useLocalCloud();
const channelSecret = 'a secret of some length';
const publish = rememberPublish();
let records: Records;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state');
});
beforeEach(async () => {
  await drainBegins(records);
  publish.sent.length = 0;
});

const instance = () => coalesce(async () => requestDrain(records, publish));
const own = instance();
const push = (headers: Record<string, string>, drain = own, secret: string | undefined = channelSecret) =>
  driveWebhook(Notification.parse({ headers }), { channelSecret: secret, requestDrain: drain });
const from = (channel: string, state: string) => ({
  'x-goog-channel-id': channel,
  'x-goog-channel-token': channelToken(channelSecret, channel),
  'x-goog-resource-state': state,
  'x-goog-message-number': '2',
});

test.each([
  ['the token of another channel', { ...from('a', 'change'), 'x-goog-channel-id': 'b' }],
  ['a made-up token', { ...from('a', 'change'), 'x-goog-channel-token': 'guess' }],
  ['an empty token', { ...from('a', 'change'), 'x-goog-channel-token': '' }],
  ['a token and no channel', { 'x-goog-channel-token': channelToken(channelSecret, '') }],
  ['nothing at all', {}],
])('%s gets the same 404 as an unknown path, and causes nothing', async (_what, headers) => {
  expect(await push(headers as Record<string, string>)).toEqual({ status: 404 });
  expect(publish.sent).toEqual([]);
});

test('where no secret is configured, nobody is believed', async () => {
  const headers = { ...from('a', 'change'), 'x-goog-channel-token': channelToken('', 'a') };
  expect(await push(headers, own, '')).toEqual({ status: 404 });
});

test('headers that are longer than Drive sends are refused', () => {
  const long = { ...from('a', 'change'), 'x-goog-channel-token': 'x'.repeat(300) };
  expect(Notification.safeParse({ headers: long }).success).toBe(false);
});

test('`sync` announces a channel and is no change', async () => {
  expect(await push(from('a', 'sync'))).toEqual({ status: 204 });
  expect(publish.sent).toEqual([]);
});

test.each(['change', 'changed', 'update', 'of a kind that is new', ''])(
  'the state %j asks for one drain',
  async (state) => {
    expect(await push(from('a', state))).toEqual({ status: 204 });
    expect(publish.sent).toEqual([{ topic: 'drive-changed', data: {}, orderingKey: 'drain' }]);
  },
);

test('a thousand at once, to two instances, make one drain; one after it has begun makes another', async () => {
  const other = instance();
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => push(from('a', 'change'), i % 2 ? own : other)),
  );
  expect(answers.every(({ status }) => status === 204)).toBe(true);
  expect(publish.sent).toHaveLength(1);
  await drainBegins(records);
  await push(from('a', 'change'));
  expect(publish.sent).toHaveLength(2);
});

test('a drain that could not be asked for is asked for again, by Drive too', async () => {
  publish.fail = new Error('Pub/Sub is down');
  await expect(push(from('a', 'change'))).rejects.toThrow('Pub/Sub is down');
  await push(from('a', 'change'));
  expect(publish.sent).toHaveLength(1);
});

test('a state bucket that is out of reach fails the push, so that Drive sends it again', async () => {
  await setFaults(cloud, { service: 'storage', kind: 'status', status: 403, reason: 'forbidden' });
  await expect(push(from('a', 'change'))).rejects.toThrow();
  await setFaults(cloud);
});

test('the clock asks for a drain although one was asked for and lost', async () => {
  await push(from('a', 'change'));
  await publishDrain(publish);
  expect(publish.sent).toHaveLength(2);
});
