import { cloudscheduler_v1 } from 'googleapis/build/src/apis/cloudscheduler/v1.js';
import { functions, topics } from '../../../functions/index.ts';
import { clients, discoveryOptions } from '../../../shared/clients.ts';
import { config } from '../../../shared/config.ts';
import { statusOf } from '../../../shared/drive/driveFile.ts';
import { codeOf } from '../../../shared/storage/codeOf.ts';
import { deadLetterTopic, retryPolicy, type Triggered } from '../../../shared/trigger.ts';

export type Provision = {
  /** Where a function is reached. */
  endpointOf: (name: string) => string;
  /** Seconds; a person at a laptop does not want to wait ten minutes. */
  maximumBackoff: number;
  /** Replaces every subscription's, for tests with lost pushes; seconds. */
  ackDeadline?: number | undefined;
};

const triggers = Object.entries(functions).map(([name, { trigger }]: [string, Triggered]) => ({
  name,
  trigger,
}));

/**
 * Makes what the map of functions asks for: buckets, topics, push subscriptions, bucket notifications, schedules. Done
 * again it changes nothing but the endpoints, which are others at every start.
 */
export async function provision(options: Provision): Promise<void> {
  await makeBuckets();
  await makeTopics();
  await makeSubscriptions(options);
  await makeNotifications();
  await makeSchedules();
}

/** Fires a schedule now. */
export async function tick(name: string): Promise<void> {
  const { project } = config();
  await scheduler().then((api) =>
    api.projects.locations.jobs.run({ name: `projects/${project}/locations/local/jobs/${name}` }),
  );
}

async function makeBuckets(): Promise<void> {
  const { rawBucket, derivedBucket, stateBucket } = config();
  const storage = await clients.storage();
  for (const name of [rawBucket, derivedBucket, stateBucket]) {
    // A removal from the raw bucket is a new version, never an erasure.
    await orThere(() =>
      storage.createBucket(name, name === rawBucket ? { versioning: { enabled: true } } : {}),
    );
  }
}

async function makeTopics(): Promise<void> {
  const api = (await clients.pubsub()).projects.topics;
  const names = triggers.flatMap(({ trigger }) => (trigger.kind === 'http' ? [] : [trigger.topic]));
  for (const name of [...names, ...topics]) {
    await orThere(() => api.create({ name: topicName(name) }));
  }
}

async function makeSubscriptions({ endpointOf, maximumBackoff, ackDeadline }: Provision): Promise<void> {
  const api = (await clients.pubsub()).projects.subscriptions;
  const deadLetterPolicy = {
    deadLetterTopic: topicName(deadLetterTopic),
    maxDeliveryAttempts: retryPolicy.attempts,
  };
  const subscriptionName = (name: string) => `projects/${config().project}/subscriptions/${name}`;
  for (const { name, trigger } of triggers) {
    if (trigger.kind === 'http') continue;
    const requestBody = {
      topic: topicName(trigger.topic),
      pushConfig: { pushEndpoint: endpointOf(name) },
      ackDeadlineSeconds: ackDeadline ?? trigger.ackDeadline,
      retryPolicy: { minimumBackoff: `${retryPolicy.minimumBackoff}s`, maximumBackoff: `${maximumBackoff}s` },
      ...(trigger.topic === deadLetterTopic ? {} : { deadLetterPolicy }),
      enableMessageOrdering: trigger.kind === 'message' && trigger.ordered,
      expirationPolicy: {},
    };
    await orThere(() => api.create({ name: subscriptionName(name), requestBody }));
    const { pushConfig } = requestBody;
    await api.modifyPushConfig({ subscription: subscriptionName(name), requestBody: { pushConfig } });
  }
}

async function makeNotifications(): Promise<void> {
  const { rawBucket, derivedBucket } = config();
  const storage = await clients.storage();
  for (const { trigger } of triggers) {
    if (trigger.kind !== 'object') continue;
    const bucket = storage.bucket(trigger.bucket === 'raw' ? rawBucket : derivedBucket);
    const [existing] = await bucket.getNotifications();
    const topic = topicName(trigger.topic);
    if (existing.some(({ metadata }) => metadata.topic?.endsWith(topic))) continue;
    await bucket.createNotification(topic, { eventTypes: ['OBJECT_FINALIZE'], payloadFormat: 'JSON_API_V1' });
  }
}

async function makeSchedules(): Promise<void> {
  const api = await scheduler();
  const parent = `projects/${config().project}/locations/local`;
  for (const { name, trigger } of triggers) {
    if (trigger.kind !== 'clock') continue;
    const pubsubTarget = { topicName: topicName(trigger.topic), data: Buffer.from('{}').toString('base64') };
    const requestBody = {
      name: `${parent}/jobs/${name}`,
      schedule: trigger.schedule,
      timeZone: 'Etc/UTC',
      pubsubTarget,
    };
    await orThere(() => api.projects.locations.jobs.create({ parent, requestBody }));
  }
}

const topicName = (topic: string) => `projects/${config().project}/topics/${topic}`;

async function scheduler(): Promise<cloudscheduler_v1.Cloudscheduler> {
  return new cloudscheduler_v1.Cloudscheduler(await discoveryOptions());
}

/** 409: it is there already. */
async function orThere(make: () => Promise<unknown>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if ((codeOf(error) ?? statusOf(error)) !== 409) throw error;
  }
}
