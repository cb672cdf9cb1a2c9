import type { Cloud } from '../../../deploy/local/cloud/cloud.ts';
import { newRecord } from '../../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../../shared/jobs/parseJob.ts';
import { candidatesOf } from '../../../shared/machines/candidates.ts';
import { priceTable } from '../../../shared/machines/priceTable.ts';
import { tpuRequest } from '../../../shared/machines/tpuBody.ts';
import { zone } from '../../deploy/local/cloud/tpu/kit.ts';
import { requestsAt } from '../../kit.ts';

const job = parseJob(
  '{name: n, repository: "https://h/r", command: c, accelerators: [v5litepod-4], regions: [us-west4]}',
);

export const settingsOf = ({ project }: { project: string }) => ({
  project,
  lab: 'eyes',
  rawBucket: 'raw',
  derivedBucket: 'derived',
  serviceAccount: `machines@${project}.iam.gserviceaccount.com`,
  startupScript: 'sleep 60',
});

/** What is sent for the machine of a job's first attempt, as the functions make it. */
export function requestFor(cloud: Cloud, id: string, { validUntil = '600s', round = 0, script = '' } = {}) {
  const candidate = candidatesOf(job, ['spot'], priceTable()).find((one) => one.zone === zone);
  if (!candidate) throw new Error('no candidate');
  const createdAt = '2026-01-01T00:00:00Z';
  const record = newRecord({ id, digest: 'd', job, owner: 'me@lab.org', createdAt });
  const settings = { ...settingsOf(cloud), ...(script ? { startupScript: script } : {}) };
  const request = tpuRequest(record, 1, candidate, { seconds: 3600, round, settings });
  const { requestBody } = request;
  const queueingPolicy = { validUntilDuration: validUntil };
  return { ...request, requestBody: { ...requestBody, queueingPolicy } };
}
export const nameOf = (id: string) => `gazeline-${id}-1`;

/** What has reached the service by this method, or by any. */
export async function sentTo(cloud: Cloud, method?: 'GET' | 'POST' | 'DELETE') {
  const requests = await requestsAt(cloud, 'tpu');
  return requests.filter((one) => one.url.startsWith('/v2/') && (method ?? one.method) === one.method);
}

/** The same in short: `queuedResources.create` and the like. */
export async function operationsAt(cloud: Cloud, pattern = /create|delete/): Promise<string[]> {
  return (await sentTo(cloud))
    .map(({ detail }) => (detail as { op?: string } | undefined)?.op ?? '')
    .filter((op) => pattern.test(op));
}
