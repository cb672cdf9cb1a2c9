import type { Bucket } from '@google-cloud/storage';
import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';

const cloud = useLocalCloud();
const topic = (name: string) => `projects/${cloud.project}/topics/${name}`;
const subscription = (name: string) => `projects/${cloud.project}/subscriptions/${name}`;

beforeAll(async () => {
  const pubsub = await clients.pubsub();
  for (const name of ['all', 'some', 'doomed']) {
    await pubsub.projects.topics.create({ name: topic(name), requestBody: {} });
    await pubsub.projects.subscriptions.create({
      name: subscription(name),
      requestBody: { topic: topic(name) },
    });
  }
});

type Seen = { attributes: Record<string, string>; payload: Record<string, unknown> | undefined };

/** What was published since the last look. */
async function published(name: string): Promise<Seen[]> {
  const pubsub = await clients.pubsub();
  const { data } = await pubsub.projects.subscriptions.pull({
    subscription: subscription(name),
    requestBody: { maxMessages: 100, returnImmediately: true },
  });
  const received = data.receivedMessages ?? [];
  const ackIds = received.map(({ ackId }) => ackId ?? '');
  if (ackIds.length > 0) {
    await pubsub.projects.subscriptions.acknowledge({
      subscription: subscription(name),
      requestBody: { ackIds },
    });
  }
  return received.map(({ message }) => ({
    attributes: message?.attributes ?? {},
    payload: message?.data ? JSON.parse(Buffer.from(message.data, 'base64').toString()) : undefined,
  }));
}

const events = async (name: string) =>
  (await published(name)).map(({ attributes: { eventType, objectId } }) => `${eventType} ${objectId}`).sort();

async function createBucket(name: string, versioning: boolean): Promise<Bucket> {
  const [bucket] = await (await clients.storage()).createBucket(name, {
    versioning: { enabled: versioning },
  });
  return bucket;
}

test('every change of an object is published with the documented attributes', async () => {
  const bucket = await createBucket('noted', false);
  const [notification] = await bucket.createNotification(topic('all'), { customAttributes: { lab: 'gaze' } });
  const file = bucket.file('f');
  await file.save('one', { resumable: false, metadata: { contentType: 'text/x' } });
  const [first] = await published('all');
  const { generation } = (await file.getMetadata())[0];
  expect(first?.attributes).toEqual({
    lab: 'gaze',
    notificationConfig: `projects/_/buckets/noted/notificationConfigs/${notification.id}`,
    eventType: 'OBJECT_FINALIZE',
    payloadFormat: 'JSON_API_V1',
    bucketId: 'noted',
    objectId: 'f',
    objectGeneration: generation,
    eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
  expect(first?.payload).toMatchObject({
    kind: 'storage#object',
    bucket: 'noted',
    name: 'f',
    generation,
    size: '3',
    contentType: 'text/x',
  });

  await file.save('two', { resumable: true });
  const second = (await file.getMetadata())[0].generation;
  const replaced = await published('all');
  const by = (event: string) => replaced.find(({ attributes }) => attributes.eventType === event)?.attributes;
  expect(replaced).toHaveLength(2);
  expect(by('OBJECT_FINALIZE')).toMatchObject({ objectGeneration: second, overwroteGeneration: generation });
  expect(by('OBJECT_DELETE')).toMatchObject({
    objectGeneration: generation,
    overwrittenByGeneration: second,
  });

  await file.setMetadata({ metadata: { a: 'b' } });
  expect(await events('all')).toEqual(['OBJECT_METADATA_UPDATE f']);
  await file.moveFileAtomic('g');
  expect(await events('all')).toEqual(['OBJECT_DELETE f', 'OBJECT_FINALIZE g']);
  await bucket.combine(['g', 'g'], 'h');
  await bucket.file('h').copy(bucket.file('i'));
  expect(await events('all')).toEqual(['OBJECT_FINALIZE h', 'OBJECT_FINALIZE i']);
  await bucket.file('g').delete();
  expect(await events('all')).toEqual(['OBJECT_DELETE g']);
  await expect(
    file.save('x', { resumable: false, preconditionOpts: { ifGenerationMatch: 5 } }),
  ).rejects.toMatchObject({ code: 412 });
  await expect(file.save('x', { resumable: false, metadata: { md5Hash: 'AAAA' } })).rejects.toMatchObject({
    code: 400,
  });
  expect(await events('all')).toEqual([]);
  await notification.delete();
});

test('with versioning, what is replaced or deleted is archived, until it is deleted for good', async () => {
  const bucket = await createBucket('archived', true);
  await bucket.createNotification(topic('all'));
  const file = bucket.file('f');
  await file.save('one', { resumable: false });
  const { generation } = (await file.getMetadata())[0];
  await file.save('two', { resumable: false });
  expect(await events('all')).toEqual(['OBJECT_ARCHIVE f', 'OBJECT_FINALIZE f', 'OBJECT_FINALIZE f']);
  await file.delete();
  expect(await events('all')).toEqual(['OBJECT_ARCHIVE f']);
  await bucket.file('f', { generation: generation ?? '' }).delete();
  expect(await events('all')).toEqual(['OBJECT_DELETE f']);
});

test('a configuration may want some events of some objects, without their resource', async () => {
  const bucket = await createBucket('filtered', false);
  const [notification] = await bucket.createNotification(topic('some'), {
    eventTypes: ['OBJECT_FINALIZE'],
    objectNamePrefix: 'in/',
    payloadFormat: 'NONE',
  });
  await bucket.file('in/1').save('x', { resumable: false });
  await bucket.file('out/1').save('x', { resumable: false });
  await bucket.file('in/1').delete();
  const seen = await published('some');
  expect(
    seen.map(({ attributes, payload }) => [attributes.objectId, attributes.payloadFormat, payload]),
  ).toEqual([['in/1', 'NONE', undefined]]);

  const [metadata] = await notification.getMetadata();
  expect(metadata).toMatchObject({
    id: notification.id,
    topic: `//pubsub.googleapis.com/${topic('some')}`,
    event_types: ['OBJECT_FINALIZE'],
    object_name_prefix: 'in/',
    payload_format: 'NONE',
  });
  expect((await bucket.getNotifications())[0].map(({ id }) => id)).toEqual([notification.id]);
  await notification.delete();
  expect((await bucket.getNotifications())[0]).toHaveLength(0);
  await bucket.file('in/2').save('x', { resumable: false });
  expect(await published('some')).toEqual([]);
});

test('a topic must be there when it is configured; when it goes later, uploads go on', async () => {
  const bucket = await createBucket('orphaned', false);
  await expect(bucket.createNotification(topic('missing'))).rejects.toMatchObject({ code: 404 });
  await bucket.createNotification(topic('doomed'));
  await (await clients.pubsub()).projects.topics.delete({ topic: topic('doomed') });
  await bucket.file('f').save('x', { resumable: false });
  expect(await bucket.file('f').exists()).toEqual([true]);
});
