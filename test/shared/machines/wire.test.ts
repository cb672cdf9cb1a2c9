import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InstancesClient } from '@google-cloud/compute';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRecord } from '../../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../../shared/jobs/parseJob.ts';
import { candidatesOf } from '../../../shared/machines/candidates.ts';
import { failureOf } from '../../../shared/machines/failure.ts';
import { instanceRequest } from '../../../shared/machines/instanceBody.ts';
import { priceTable } from '../../../shared/machines/priceTable.ts';

/** The client drops what it does not know without a word: so this looks at what left. */
const seen: { url: string; body: string }[] = [];
let answer: { status: number; body: object };
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  seen.push({ url: request.url ?? '', body });
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer.body));
});
let instances: InstancesClient;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { InstancesClient } = (await import('@google-cloud/compute')).default;
  const auth = {
    getClient: async () => auth,
    getRequestHeaders: async () => new Headers(),
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    universeDomain: 'googleapis.com',
  };
  const { port } = server.address() as AddressInfo;
  const options = { apiEndpoint: '127.0.0.1', port, protocol: 'http', projectId: 'p', fallback: true, auth };
  instances = new InstancesClient(options as unknown as ConstructorParameters<typeof InstancesClient>[0]);
});
afterAll(async () => {
  await instances.close();
  server.closeAllConnections();
  server.close();
});

const job = parseJob(
  '{name: n, repository: "https://h/r", command: c, accelerators: [T4], regions: [us-east1]}',
);
const record = newRecord({
  id: 'n-0a1b2c3d',
  digest: 'd',
  job,
  owner: 'me@lab.org',
  createdAt: '2026-01-01T00:00:00Z',
});

test('every field of the request is in what leaves the client', async () => {
  answer = { status: 200, body: { name: 'operation-1', status: 'RUNNING', zone: 'us-east1-c' } };
  const [candidate] = candidatesOf(job, ['spot'], priceTable());
  if (!candidate) throw new Error('no candidate');
  const settings = {
    project: 'p',
    lab: 'l',
    rawBucket: 'r',
    derivedBucket: 'd',
    serviceAccount: 'm@p.iam.gserviceaccount.com',
    startupScript: '#!/bin/bash',
  };
  const request = instanceRequest(record, 1, candidate, { seconds: 3600, round: 0, settings });
  await instances.insert(request);
  const [{ url, body } = { url: '', body: '{}' }] = seen.splice(0);
  expect(url).toContain(`/compute/v1/projects/p/zones/${candidate.zone}/instances?`);
  expect(url).toContain(`requestId=${request.requestId}`);
  // 64-bit numbers are texts in JSON; all else arrives as it was given, and nothing is lost.
  const expected = JSON.parse(JSON.stringify(request.instanceResource), (key, value) =>
    key === 'seconds' || key === 'diskSizeGb' ? String(value) : value,
  );
  expect(JSON.parse(body)).toMatchObject(expected);
  expect(expected).toMatchObject({
    scheduling: { maxRunDuration: { seconds: '3600' }, instanceTerminationAction: 'DELETE' },
  });
});

test.each([
  [
    403,
    {
      errors: [{ reason: 'quotaExceeded' }],
      message: "Quota 'NVIDIA_T4_GPUS' exceeded. Limit: 0.0 in region us-east1.",
    },
    'quota-zero',
    'region',
  ],
  [403, { errors: [{ reason: 'rateLimitExceeded' }], message: 'Rate Limit Exceeded' }, 'rate', 'global'],
  [
    403,
    { errors: [{ reason: 'forbidden' }], message: "Required 'compute.instances.create' permission for 'x'" },
    'permission',
    'fatal',
  ],
  [
    409,
    { errors: [{ reason: 'alreadyExists' }], message: "The resource 'x' already exists" },
    'exists',
    'zone',
  ],
  [400, { errors: [{ reason: 'invalid' }], message: 'Invalid value' }, 'bad-request', 'fatal'],
  [
    404,
    {
      errors: [{ reason: 'notFound' }],
      message: "The resource 'projects/p/global/images/family/f' was not found",
    },
    'not-found',
    'fatal',
  ],
  [503, { errors: [{ reason: 'backendError' }], message: 'no' }, 'stock-out', 'zone'],
  [500, { errors: [{ reason: 'internalError' }], message: 'no' }, 'transient', 'zone'],
])('an answer %d %j, as the client throws it, is understood', async (status, error, kind, scope) => {
  answer = { status, body: { error: { code: status, ...error } } };
  const thrown = await instances
    .insert({ project: 'p', zone: 'z', instanceResource: { name: 'x' } })
    .catch((one) => one);
  expect(thrown).toBeInstanceOf(Error);
  expect(failureOf(thrown)).toMatchObject({ kind, scope });
});
