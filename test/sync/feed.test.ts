import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { driveTick } from '../../functions/drive-tick.ts';
import { driveWebhook, type Notification } from '../../functions/drive-webhook.ts';
import { coalesce } from '../../shared/coalesce.ts';
import { channelToken } from '../../shared/drive/channelToken.ts';
import { publishDrain, requestDrain } from '../../shared/drive/requestDrain.ts';
import { rememberLog, setFaults } from '../kit.ts';
import { withMethod } from './syncKit.ts';
import { useSync } from './useSync.ts';

// Behaviours 1 to 7 of a good sync.
const used = useSync();
const channelSecret = 'a secret that nobody knows';
const day = 24 * 60 * 60 * 1000;

const pushed = (
  state = 'change',
  id = 'channel-1',
  token = channelToken(channelSecret, id),
): Notification => ({
  headers: { 'x-goog-channel-id': id, 'x-goog-channel-token': token, 'x-goog-resource-state': state },
});
/** One instance of the webhook. */
function webhook() {
  const { sync } = used;
  const drainOnce = coalesce(() => requestDrain(sync.dependencies.records, sync.publish));
  return (notification: Notification) =>
    driveWebhook(notification, { channelSecret, requestDrain: drainOnce });
}
const drains = () => used.sync.queue.filter(({ topic }) => topic === 'drive-changed').length;
const tick = (time: Date, log = rememberLog()) =>
  driveTick(
    { time },
    {
      drive: used.sync.drive,
      records: used.sync.dependencies.records,
      publishDrain: () => publishDrain(used.sync.publish),
      webhookUrl: 'http://127.0.0.1:9/drive-webhook',
      channelSecret,
      log,
    },
  );
const Channels = z.array(z.object({ id: z.string(), expiration: z.string() }));
const channels = async () =>
  (await used.sync.dependencies.records.read('drive/channels.json', Channels))?.value ?? [];

test('1. a thousand identical notifications are answered fast, and make two drains at most and no transfer twice', async () => {
  await used.sync.file(used.here, 'a.txt');
  const [one, other] = [webhook(), webhook()];
  const start = Date.now();
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? one : other)(pushed())),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
  expect(Date.now() - start).toBeLessThan(30_000);
  expect(drains()).toBeLessThanOrEqual(2);
  await used.sync.pump({ atATime: 4 });
  expect(await used.objects()).toEqual({ 'a.txt': 'content of a.txt' });
  expect(await used.versions()).toHaveLength(1);
});

test('2. a wrong or missing token, or one of another channel, does nothing; a channel in its overlap is still heard', async () => {
  const hear = webhook();
  const refused = [
    pushed('change', 'channel-1', 'wrong'),
    pushed('change', 'channel-1', channelToken(channelSecret, 'channel-2')),
    pushed('change', 'channel-1', channelToken('another secret', 'channel-1')),
    { headers: { 'x-goog-channel-id': 'channel-1' } },
    { headers: {} },
  ];
  for (const notification of refused) expect(await hear(notification)).toEqual({ status: 404 });
  expect(drains()).toBe(0);
  expect(await hear(pushed('change', 'an older channel'))).toEqual({ status: 204 });
  expect(drains()).toBe(1);
  await used.sync.pump();
});

test('3. a sync message, `change`, `changed` and a state that nobody knows are taken without a crash', async () => {
  const hear = webhook();
  expect(await hear(pushed('sync'))).toEqual({ status: 204 });
  expect(drains()).toBe(0);
  for (const state of ['change', 'changed', 'something new']) {
    expect(await hear(pushed(state))).toEqual({ status: 204 });
    expect(drains()).toBe(1);
    await used.sync.pump();
  }
});

test('4. a change of which no push came is picked up by the poll', async () => {
  await used.sync.file(used.here, 'a.txt');
  await tick(new Date());
  await used.sync.pump();
  expect(await used.objects()).toEqual({ 'a.txt': 'content of a.txt' });
});

test('5. a second channel is there before the first one ends; a renewal that fails raises an alarm and polling goes on', async () => {
  const start = Date.now();
  await used.sync.dependencies.records.remove('drive/channels.json');
  await tick(new Date(start));
  const [first] = await channels();
  await tick(new Date(start + 5 * day));
  expect(await channels()).toEqual([first]);

  // In the last day of the first one, but Drive will not open another.
  const log = rememberLog();
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'status',
    status: 403,
    reason: 'forbidden',
    path: '/watch$',
  });
  await used.sync.file(used.here, 'a.txt');
  await tick(new Date(start + 6.5 * day), log);
  await setFaults(used.cloud);
  expect(log.entries).toContainEqual(expect.objectContaining({ severity: 'ERROR' }));
  await used.sync.pump();
  expect(await used.objects()).toEqual({ 'a.txt': 'content of a.txt' });

  await tick(new Date(start + 6.6 * day));
  const both = await channels();
  expect(both).toHaveLength(2);
  const hear = webhook();
  for (const { id } of both) expect(await hear(pushed('change', id))).toEqual({ status: 204 });
  await used.sync.pump();
  await tick(new Date(start + 6.7 * day));
  expect((await channels()).map(({ id }) => id)).toEqual([both[1]?.id]);
});

test('6. a crash after page 3 of 10 skips nothing and writes no object twice', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `${i}.txt`);
  for (const name of names) await used.sync.file(used.here, name);
  const { records } = used.sync.dependencies;
  let pages = 0;
  const dying: typeof records = {
    ...records,
    write: async (name, ...rest) => {
      if (name === 'drive/feed.json' && ++pages > 3) throw new Error('killed');
      return records.write(name, ...rest);
    },
  };
  const drive = withMethod(used.sync.drive, 'changes', 'list', (_original, parameters) =>
    used.sync.drive.changes.list({ ...parameters, pageSize: 1 }),
  );
  await expect(used.sync.drain({ drive, records: dying })).rejects.toThrow('killed');
  await used.sync.pump();
  expect(Object.keys(await used.objects())).toHaveLength(4);
  await used.sync.settle();
  expect(Object.keys(await used.objects()).sort()).toEqual(names);
  expect(await used.versions()).toHaveLength(10);
});

test.each([
  ['400 with the location pageToken', { kind: 'expirePageTokens', status: 400 }],
  ['404', { kind: 'expirePageTokens', status: 404 }],
  ['410', { kind: 'expirePageTokens', status: 410 }],
])(
  '7. a page token that is answered with %s: a new token first, then a comparison, and no removal',
  async (_what, fault) => {
    const [kept, edited, gone] = [
      await used.sync.file(used.here, 'kept.txt'),
      await used.sync.file(used.here, 'edited.txt'),
      await used.sync.file(used.here, 'gone.txt'),
    ];
    await used.sync.settle();
    await used.sync.edit(edited, 'edited');
    await used.sync.change(gone, { trashed: true });
    await used.sync.file(used.here, 'new.txt', 'new');
    const lost = await used.sync.file(used.here, 'lost.txt');
    await used.sync.settle();
    await used.sync.remove(lost);
    await setFaults(used.cloud, { service: 'drive', times: 1, ...fault });
    await used.sync.drain();
    await setFaults(used.cloud);
    // What happens between the new token and the comparison is not lost.
    await used.sync.change(kept, { name: 'renamed.txt' });
    await used.sync.pump();
    await used.sync.settle();
    expect(await used.objects()).toEqual({
      'renamed.txt': 'content of kept.txt',
      'edited.txt': 'edited',
      'new.txt': 'new',
    });
    expect((await used.versions()).filter(({ name }) => name === 'renamed.txt')).toHaveLength(1);
    const errors = used.sync.log.entries.filter(({ severity }) => severity === 'ERROR');
    expect(errors).toMatchObject([{ message: expect.stringContaining('page token') }]);
  },
);
