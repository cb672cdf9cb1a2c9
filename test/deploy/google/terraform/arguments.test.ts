import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readSchema } from '../../../../deploy/google/schema/read.ts';
import { isTerraformThere, openWorkspace, type Workspace } from './workspace.ts';

/*
 * Terraform holds every resource and every argument against the provider's schema, as it was exported (`deploy/google/schema/`).
 * Here it is shown that this finds mistakes.
 */
(isTerraformThere ? describe : describe.skip)(`against the schema of version ${readSchema().version}`, () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await openWorkspace();
  });
  afterAll(() => workspace.close());

  test.each([
    ['functions.tf', 'entry_point ', 'entry_pont ', /An argument named "entry_pont" is not expected here/],
    ['functions.tf', 'max_instance_count ', 'max_instances ', /An argument named "max_instances" is not/],
    ['topics.tf', 'audience ', 'audiance ', /An argument named "audiance" is not expected here/],
    ['topics.tf', 'maximum_backoff', 'maximum_backof', /An argument named "maximum_backof" is not/],
    [
      'buckets.tf',
      'uniform_bucket_level_access',
      'uniform_bucket_level_acces',
      /"uniform_bucket_level_acces" is not/,
    ],
    ['buckets.tf', '"google_storage_notification"', '"google_storage_notice"', /"google_storage_notice"/],
    ['topics.tf', '  retry_policy {', '  retries {', /Blocks of type "retries" are not expected here/],
    [
      'schedules.tf',
      'pubsub_target {',
      'pubsub_target {\n }\n\n pubsub_target {',
      /No more than 1 "pubsub_target" blocks/,
    ],
    [
      'secrets.tf',
      'secret_id  = "gazeline-channel-secret"',
      '# no secret_id',
      /The argument "secret_id" is required/,
    ],
    [
      'topics.tf',
      'ack_deadline_seconds    = each.value.trigger.ackDeadline',
      'ack_deadline_seconds = "a minute"',
      /a number is\s+required/,
    ],
    [
      'schedules.tf',
      'topic[each.value.trigger.topic].id',
      'topics[each.key].id',
      /Reference to undeclared resource/,
    ],
  ])(
    '%s: %j written as %j is found',
    async (file, from, to, words) => {
      await workspace.change(file, from, to);
      try {
        await expect(workspace.terraform('validate', '-no-color')).rejects.toThrow(words);
      } finally {
        await workspace.change(file, to, from);
      }
    },
    20_000,
  );
});
