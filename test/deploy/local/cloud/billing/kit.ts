import { billingbudgets_v1 } from 'googleapis/build/src/apis/billingbudgets/v1.js';
import { cloudbilling_v1 } from 'googleapis/build/src/apis/cloudbilling/v1.js';
import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import type { Cloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { call } from '../storage/raw.ts';

export const account = 'billingAccounts/012345-567890-ABCDEF';

/** Google's own clients, for a local cloud. */
export function clientsOf({ origin }: Cloud) {
  const options = { rootUrl: `${origin}/`, retry: false };
  return {
    billing: new cloudbilling_v1.Cloudbilling(options),
    budgets: new billingbudgets_v1.Billingbudgets(options).billingAccounts.budgets,
    pubsub: new pubsub_v1.Pubsub(options),
  };
}

export async function setBilling(
  cloud: Cloud,
  what: 'settings' | 'spend' | 'clock',
  json: object,
): Promise<unknown> {
  const { status, body } = await call('POST', `${cloud.origin}/_local/billing/${what}`, { json });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

/** On time, once, in order. */
export const punctual = { late: [0, 0], doubled: 0, overtaken: 0 };

export type Notification = { attributes: Record<string, string>; data: Record<string, unknown> };

/** All messages that wait in a subscription. */
export async function pullAll(cloud: Cloud, subscription: string): Promise<Notification[]> {
  const { subscriptions } = clientsOf(cloud).pubsub.projects;
  const name = `projects/${cloud.project}/subscriptions/${subscription}`;
  const found: Notification[] = [];
  for (;;) {
    const requestBody = { maxMessages: 1000, returnImmediately: true };
    const { data } = await subscriptions.pull({ subscription: name, requestBody });
    const received = data.receivedMessages ?? [];
    if (received.length === 0) return found;
    for (const { message } of received)
      found.push({
        attributes: message?.attributes ?? {},
        data: JSON.parse(Buffer.from(message?.data ?? '', 'base64').toString()),
      });
    const ackIds = received.map(({ ackId }) => ackId ?? '');
    await subscriptions.acknowledge({ subscription: name, requestBody: { ackIds } });
  }
}

export async function makeTopic(cloud: Cloud, name: string): Promise<string> {
  const { topics, subscriptions } = clientsOf(cloud).pubsub.projects;
  const topic = `projects/${cloud.project}/topics/${name}`;
  await topics.create({ name: topic });
  await subscriptions.create({
    name: `projects/${cloud.project}/subscriptions/${name}`,
    requestBody: { topic },
  });
  return topic;
}

export const budgetOf = (amount: number, pubsubTopic: string, more: object = {}) => ({
  displayName: 'The lab',
  amount: { specifiedAmount: { currencyCode: 'USD', units: String(amount) } },
  thresholdRules: [
    { thresholdPercent: 0.5 },
    { thresholdPercent: 1 },
    { thresholdPercent: 1, spendBasis: 'FORECASTED_SPEND' },
  ],
  notificationsRule: { pubsubTopic, schemaVersion: '1.0' },
  ...more,
});
