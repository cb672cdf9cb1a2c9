import { beforeAll, describe, expect, test } from '@jest/globals';
import { cloudscheduler_v1 } from 'googleapis/build/src/apis/cloudscheduler/v1.js';
import { describe as description } from '../../../../deploy/google/describe.ts';
import { provision } from '../../../../deploy/local/host/provision.ts';
import { clients, discoveryOptions } from '../../../../shared/clients.ts';
import { retryPolicy } from '../../../../shared/trigger.ts';
import { useLocalCloud } from '../../../localCloud.ts';
import { type Plan, valuesOf } from './plan.ts';
import { isTerraformThere, openWorkspace } from './workspace.ts';

const cloud = useLocalCloud();
const last = (name: unknown) => String(name).split('/').at(-1) ?? '';
const seconds = (duration: unknown) => Number.parseFloat(String(duration));

/** Whatever is made on a laptop is made in a project, and the other way round. */
(isTerraformThere ? describe : describe.skip)('Terraform makes the same as the local host', () => {
  let plan: Plan;
  beforeAll(async () => {
    await provision({
      endpointOf: (name) => `${cloud.origin}/_local/${name}`,
      maximumBackoff: retryPolicy.maximumBackoff,
    });
    const workspace = await openWorkspace();
    await workspace.terraform('plan', '-out=plan');
    plan = (await workspace.json('show', '-json', 'plan')) as Plan;
    await workspace.close();
  }, 60_000);

  test('topics', async () => {
    const { projects } = await clients.pubsub();
    const { data } = await projects.topics.list({ project: `projects/${cloud.project}`, pageSize: 1000 });
    const planned = [...valuesOf(plan, 'google_pubsub_topic', 'topic').values()];
    expect(planned.map(({ name }) => name).sort()).toEqual(data.topics?.map(({ name }) => last(name)).sort());
  });

  test('subscriptions, with their deadlines, their order, their back-off and their dead letters', async () => {
    const { projects } = await clients.pubsub();
    const { data } = await projects.subscriptions.list({
      project: `projects/${cloud.project}`,
      pageSize: 1000,
    });
    const local = (data.subscriptions ?? []).map((one) => ({
      name: last(one.name),
      topic: last(one.topic),
      isPush: one.pushConfig?.pushEndpoint !== undefined,
      ...(one.pushConfig?.pushEndpoint
        ? {
            ackDeadline: one.ackDeadlineSeconds,
            ordered: one.enableMessageOrdering ?? false,
            backoff: [seconds(one.retryPolicy?.minimumBackoff), seconds(one.retryPolicy?.maximumBackoff)],
            attempts: one.deadLetterPolicy?.maxDeliveryAttempts,
          }
        : {}),
    }));
    const pushed = [...valuesOf(plan, 'google_pubsub_subscription', 'function')].map(([name, values]) => {
      expect(values).toMatchObject({ name, expiration_policy: [{ ttl: '' }] });
      const [{ minimum_backoff, maximum_backoff }] = values.retry_policy;
      return {
        name,
        topic: description().functions[name]?.trigger.topic,
        isPush: values.push_config.length === 1,
        ackDeadline: values.ack_deadline_seconds,
        ordered: values.enable_message_ordering,
        backoff: [seconds(minimum_backoff), seconds(maximum_backoff)],
        attempts: values.dead_letter_policy[0]?.max_delivery_attempts,
      };
    });
    const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name);
    expect(pushed.sort(byName)).toEqual(local.sort(byName));
  });

  test('schedules', async () => {
    const api = new cloudscheduler_v1.Cloudscheduler(await discoveryOptions());
    const { data } = await api.projects.locations.jobs.list({
      parent: `projects/${cloud.project}/locations/local`,
    });
    const planned = [...valuesOf(plan, 'google_cloud_scheduler_job', 'clock').values()].map((job) => ({
      ...{ name: job.name, schedule: job.schedule, timeZone: job.time_zone },
      data: job.pubsub_target[0].data,
    }));
    const local = data.jobs?.map(({ name, schedule, timeZone, pubsubTarget }) => ({
      ...{ name: last(name), schedule, timeZone, data: pubsubTarget?.data },
    }));
    expect(new Set(planned)).toEqual(new Set(local));
  });

  test('notifications of buckets', async () => {
    const storage = await clients.storage();
    const local = await Promise.all(
      (['raw', 'derived'] as const).map(async (bucket) => {
        const [notifications] = await storage.bucket(bucket).getNotifications();
        return notifications.map(({ metadata }) => {
          const { event_types, payload_format } = metadata as Record<string, unknown>;
          return { bucket: `lab-of-gaze-gazeline-${bucket}`, event_types, payload_format };
        });
      }),
    );
    const planned = [...valuesOf(plan, 'google_storage_notification', 'object').values()].map(
      ({ bucket, event_types, payload_format }) => ({ bucket, event_types, payload_format }),
    );
    expect(new Set(planned)).toEqual(new Set(local.flat()));
  });

  test('buckets: raw data keeps its versions, and nothing is public', () => {
    const buckets = ['raw', 'derived', 'state', 'packages'].map((name) => ({
      ...valuesOf(plan, 'google_storage_bucket', name).get(''),
      is: name,
    }));
    for (const bucket of buckets)
      expect(bucket).toMatchObject({
        uniform_bucket_level_access: true,
        public_access_prevention: 'enforced',
        force_destroy: bucket.is === 'packages',
        versioning: bucket.is === 'raw' ? [{ enabled: true }] : [],
      });
    const kept = buckets.map(({ is, soft_delete_policy: [{ retention_duration_seconds }] }) => [
      ...[is, retention_duration_seconds / 86_400],
    ]);
    expect(Object.fromEntries(kept)).toEqual({ raw: 30, derived: 7, state: 0, packages: 0 });
  });

  test('only the webhook can be called by everybody, and only by Pub/Sub the functions that it calls', () => {
    expect([...valuesOf(plan, 'google_cloud_run_v2_service_iam_member', 'public').keys()]).toEqual([
      'drive-webhook',
    ]);
    for (const [name, { service_config }] of valuesOf(plan, 'google_cloudfunctions2_function', 'function'))
      expect([name, service_config[0].ingress_settings]).toEqual([
        name,
        ['drive-webhook', 'api'].includes(name) ? 'ALLOW_ALL' : 'ALLOW_INTERNAL_ONLY',
      ]);
  });
});
