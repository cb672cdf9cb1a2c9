/** What a lab of the stand-in has: addresses and types. What needs another thing stands behind it. */
export const everything: [string, string][] = [
  ...['raw', 'derived', 'state'].map((name): [string, string] => [
    `google_storage_bucket.${name}`,
    'google_storage_bucket',
  ]),
  ['google_service_account.drive', 'google_service_account'],
  ['google_project_service.needed["run.googleapis.com"]', 'google_project_service'],
  ...['annotate', 'drive-feed', 'file-sync'].map((name): [string, string] => [
    `google_cloudfunctions2_function.function["${name}"]`,
    'google_cloudfunctions2_function',
  ]),
  ['google_pubsub_topic.topic["file-changed"]', 'google_pubsub_topic'],
  [
    'google_cloud_run_v2_service_iam_member.public["drive-webhook"]',
    'google_cloud_run_v2_service_iam_member',
  ],
  ['google_logging_metric.failures', 'google_logging_metric'],
];
