import { expect, test } from '@jest/globals';
import { remedyOf } from '../../../../deploy/google/lab/failures.ts';

/** As they were reported, or as the provider's and Google's sources have them. */
const passing = [
  'googleapi: Error 403: Serverless VPC Access API has not been used in project 962980043765 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/vpcaccess.googleapis.com/overview?project=962980043765 then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.',
  'Error creating function: googleapi: Error 400: Validation failed for trigger projects/p/locations/us-central1/triggers/t: Invalid resource state for "": Permission denied while using the Eventarc Service Agent. If you recently started to use Eventarc, it may take a few minutes before all necessary permissions are propagated to the Service Agent. Otherwise, verify that it has Eventarc Service Agent role.',
  'Error creating AlertPolicy: googleapi: Error 404: Cannot find metric(s) that match type = "logging.googleapis.com/user/error_total". If a metric was created recently, it could take up to 10 minutes to become available. Please try again soon.',
  'Error creating AlertPolicy: googleapi: Error 404: The metric referenced by the provided filter is unknown. Check the metric name and labels.',
  'Error applying IAM policy for project "p": Error setting IAM policy for project "p": googleapi: Error 400: Service account 765896565215-compute@developer.gserviceaccount.com does not exist., badRequest',
  'googleapi: Error 400: Role projects/p/roles/gazeline.annotate.raw does not exist., badRequest',
  'Could not build the function due to a missing permission on the build service account.',
  'The service account running this build projects/p/serviceAccounts/gazeline-build@p.iam.gserviceaccount.com does not have permission to write logs to Cloud Logging. To fix this, grant the Logs Writer (roles/logging.logWriter) role to the service account.',
  "googleapi: Error 403: The service account 'service-123@gs-project-accounts.iam.gserviceaccount.com' does not have permission to publish messages to to the Cloud Pub/Sub topic '//pubsub.googleapis.com/projects/p/topics/raw-object', forbidden",
  'failed to download archive gs://gcf-v2-sources-1-r/f/function-source.zip: Access to bucket gcf-v2-sources-1-r denied. You must grant Storage Object Viewer permission to gazeline-build@p.iam.gserviceaccount.com.',
  'googleapi: Error 409: There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff., aborted',
  'googleapi: Error 503: The service is currently unavailable., backendError',
  'googleapi: Error 429: Quota exceeded for quota metric',
];

test.each(passing)('%j passes by itself', (words) => {
  expect(remedyOf(words)).toMatchObject({ kind: 'wait' });
});

test('an organisation’s refusal of public functions is known by its words', () => {
  const words =
    'googleapi: Error 400: One or more users named in the policy do not belong to a permitted customer,  perhaps due to an organization policy.';
  expect(remedyOf(words)).toEqual({ kind: 'poll' });
});

test.each([
  [
    "Error creating Role: googleapi: Error 403: Permission 'iam.roles.create' denied on resource 'projects/my-lab' (or it may not exist).",
    'iam.roles.create',
    'projects/my-lab',
  ],
  ['Error creating Budget: googleapi: Error 403: The caller does not have permission', undefined, undefined],
  [
    "googleapi: Error 403: ada@uni.example does not have storage.buckets.create access to the Google Cloud project. Permission 'storage.buckets.create' denied on resource (or it may not exist)., forbidden",
    'storage.buckets.create',
    undefined,
  ],
])('%j is a right that is missing', (words, permission, resource) => {
  expect(remedyOf(words)).toEqual({ kind: 'permission', permission, resource });
});

test('a lock that somebody holds, with its id; and what nobody has seen before', () => {
  const lock =
    'Error acquiring the state lock\nError message: writing "gs://b/gazeline/default.tflock" failed\nLock Info:\n  ID:        1732600000000000\n';
  expect(remedyOf(lock)).toEqual({ kind: 'locked', id: '1732600000000000' });
  expect(remedyOf('Error: something else')).toEqual({ kind: 'unknown' });
});
