import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { failureOf } from '../../../shared/machines/failure.ts';

/** As the Node client throws it. */
const thrown = (fields: object) => Object.assign(new Error('message'), fields);
/** As `zoneOperations.wait()` resolves. */
const operation = (code: string, message = '', more: object = {}) => ({
  status: 'DONE',
  httpErrorStatusCode: 503,
  error: { errors: [{ code, message, ...more }] },
});
/** As `googleapis` throws it. */
const gaxios = (code: number, error: object) =>
  Object.assign(new Error('message'), { status: code, code, response: { status: code, data: { error } } });
const tpu = (code: number, message: string, details: object[] = []) => ({
  done: true,
  error: { code, message, details },
});

const l4 = "Quota 'NVIDIA_L4_GPUS' exceeded.  Limit: 0.0 in region us-central1.";

test.each<[string, unknown, string, string]>([
  // SkyPilot's table, row by row.
  [
    'the global quota',
    operation('QUOTA_EXCEEDED', "Quota 'GPUS_ALL_REGIONS' exceeded.  Limit: 1.0 globally."),
    'quota',
    'global',
  ],
  [
    'the global quota of nothing',
    operation('QUOTA_EXCEEDED', "Quota 'GPUS_ALL_REGIONS' exceeded.  Limit: 0.0 globally."),
    'quota-zero',
    'global',
  ],
  [
    'a regional quota',
    operation('QUOTA_EXCEEDED', "Quota 'CPUS' exceeded.  Limit: 24.0 in region us-east1."),
    'quota',
    'region',
  ],
  ['a regional quota of nothing', operation('QUOTA_EXCEEDED', l4), 'quota-zero', 'region'],
  [
    'a quota in its other spelling',
    thrown({ code: 7, httpStatusCode: 403, reason: 'quotaExceeded', message: 'no' }),
    'quota',
    'region',
  ],
  ['a stock-out', operation('ZONE_RESOURCE_POOL_EXHAUSTED'), 'stock-out', 'zone'],
  ['a stock-out with details', operation('ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS'), 'stock-out', 'zone'],
  [
    'a stock-out with an ending of tomorrow',
    operation('ZONE_RESOURCE_POOL_EXHAUSTED_AGAIN'),
    'stock-out',
    'zone',
  ],
  [
    'a stock-out of the bulk API',
    gaxios(503, { code: 503, errors: [{ reason: 'insufficientCapacity' }], message: 'no' }),
    'stock-out',
    'zone',
  ],
  ['a preemption while it is made', operation('UNSUPPORTED_OPERATION'), 'stock-out', 'zone'],
  ['a machine that is still stopping', operation('RESOURCE_NOT_READY'), 'transient', 'zone'],
  ['the rate of one resource', operation('RESOURCE_OPERATION_RATE_EXCEEDED'), 'rate', 'zone'],
  ['a machine that vanished', operation('RESOURCE_NOT_FOUND'), 'stock-out', 'zone'],
  ['no network', operation('VPC_NOT_FOUND'), 'not-found', 'fatal'],
  ['no subnetwork', operation('SUBNET_NOT_FOUND_FOR_VPC'), 'not-found', 'region'],
  ['no permission', operation('IAM_PERMISSION_DENIED'), 'permission', 'fatal'],
  ['no permission, by message', operation('', 'Policy update access denied.'), 'permission', 'fatal'],
  [
    'a small disk',
    thrown({
      code: 3,
      httpStatusCode: 400,
      message: 'Requested disk size cannot be smaller than the image size (50 GB)',
    }),
    'bad-request',
    'fatal',
  ],
  [
    'a zone closed to the project',
    thrown({
      code: 7,
      httpStatusCode: 403,
      message: 'Location us-east1-d is not found or access is unauthorized.',
    }),
    'zone-closed',
    'zone',
  ],
  [
    'a zone that is not there',
    thrown({
      code: 3,
      httpStatusCode: 400,
      message: "Invalid value for field 'zone': 'mars-1-a'. Unknown zone.",
    }),
    'zone-closed',
    'zone',
  ],
  [
    'a machine type that is not in the zone',
    thrown({
      code: 3,
      httpStatusCode: 400,
      message:
        "Invalid value for field 'resource.machineType': 'zones/us-east1-d/machineTypes/g2-standard-8'. The referenced resource does not exist.",
    }),
    'zone-closed',
    'zone',
  ],
  ['a TPU preempted while it is made', tpu(3, 'The node was preempted'), 'stock-out', 'zone'],
  [
    'a TPU that is sold out',
    tpu(8, 'There is no more capacity in the zone "us-central2-b"'),
    'stock-out',
    'zone',
  ],
  ['a reservation too small', tpu(9, 'Reservation has not enough'), 'stock-out', 'zone'],
  [
    'a TPU quota in a zone',
    tpu(8, 'Quota limit has been exceeded. Limit: 0 in zone us-central1-a.', [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure' },
    ]),
    'quota-zero',
    'zone',
  ],
  [
    'a TPU quota in a region',
    tpu(8, 'no', [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', message: 'in region us-central1' },
    ]),
    'quota',
    'region',
  ],
  [
    'a queued resource that failed',
    { state: { state: 'FAILED', failedData: { error: { code: 8, message: 'no more capacity' } } } },
    'stock-out',
    'zone',
  ],
  [
    'a queued resource for which there is no quota left',
    {
      state: {
        state: 'FAILED',
        failedData: {
          error: {
            code: 8,
            message:
              "Quota 'TPUV5sLitepodPerProjectPerZoneForTPUAPI' exhausted. Limit 4 in zone us-central1-a",
          },
        },
      },
    },
    'quota',
    'zone',
  ],
  [
    'a TPU that another zone has',
    gaxios(400, {
      code: 400,
      status: 'INVALID_ARGUMENT',
      message:
        'Cloud TPU received a bad request. The requested accelerator configuration for accelerator type, "v6e-1", could not be found in the zonal accelerator configurations for "asia-east1-a".; the accelerator v6e-1 was not found in zone asia-east1-a [EID: 0x1]',
    }),
    'zone-closed',
    'zone',
  ],
  [
    'a location that is closed by a policy',
    gaxios(403, {
      code: 403,
      status: 'PERMISSION_DENIED',
      message: 'no',
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'LOCATION_POLICY_VIOLATED' }],
    }),
    'zone-closed',
    'zone',
  ],
  ['anything else', { error: { errors: [{ code: 'SOMETHING_NEW', message: 'hm' }] } }, 'unknown', 'zone'],
  // Where errors show up: 403 is four different things.
  ['403: rate', thrown({ code: 7, httpStatusCode: 403, reason: 'rateLimitExceeded' }), 'rate', 'global'],
  [
    '403: rate, as googleapis says it',
    gaxios(403, { code: 403, errors: [{ reason: 'rateLimitExceeded' }] }),
    'rate',
    'global',
  ],
  [
    '403: rate, by message',
    thrown({ code: 7, httpStatusCode: 403, message: 'Rate Limit Exceeded' }),
    'rate',
    'global',
  ],
  ['403: quota, by message', thrown({ code: 7, message: l4 }), 'quota-zero', 'region'],
  [
    '403: permission',
    thrown({
      code: 7,
      httpStatusCode: 403,
      message: "Required 'compute.instances.create' permission for 'projects/p'",
    }),
    'permission',
    'fatal',
  ],
  ['403: permission, by the number of gRPC alone', thrown({ code: 7 }), 'permission', 'fatal'],
  [
    '400',
    thrown({ code: 3, httpStatusCode: 400, message: 'Invalid value for field' }),
    'bad-request',
    'fatal',
  ],
  [
    '400 of a zone without the type',
    thrown({
      code: 3,
      httpStatusCode: 400,
      message: "Machine type with name 'a2-highgpu-1g' does not exist in zone 'us-east4-a'.",
    }),
    'zone-closed',
    'zone',
  ],
  ['401', thrown({ code: 16, httpStatusCode: 401 }), 'permission', 'fatal'],
  ['404', thrown({ code: 5, httpStatusCode: 404, message: 'not found' }), 'not-found', 'fatal'],
  [
    '404 of an image',
    thrown({
      code: 5,
      httpStatusCode: 404,
      message: "The resource 'projects/p/global/images/family/common-cu129' was not found",
    }),
    'not-found',
    'fatal',
  ],
  ['409', thrown({ code: 10, httpStatusCode: 409, message: 'already exists' }), 'exists', 'zone'],
  ['409, by the number of gRPC alone', thrown({ code: 10 }), 'exists', 'zone'],
  ['409, as the body says', thrown({ code: 6 }), 'exists', 'zone'],
  [
    '409, as googleapis says it',
    gaxios(409, { code: 409, errors: [{ reason: 'alreadyExists' }] }),
    'exists',
    'zone',
  ],
  ['429', thrown({ code: 8, httpStatusCode: 429 }), 'rate', 'global'],
  ['500', thrown({ code: 13, httpStatusCode: 500 }), 'transient', 'zone'],
  ['503', thrown({ code: 14, httpStatusCode: 503 }), 'stock-out', 'zone'],
  ['no answer', thrown({ code: 14, message: 'connect ECONNREFUSED 127.0.0.1:1' }), 'transient', 'zone'],
  [
    'no answer, as Node says it',
    thrown({ code: 'ECONNRESET', message: 'read ECONNRESET' }),
    'transient',
    'zone',
  ],
  ['a time-out', thrown({ code: 4, message: 'Total timeout exceeded' }), 'transient', 'zone'],
  [
    'an operation with a message alone',
    { status: 'DONE', httpErrorStatusCode: 403, httpErrorMessage: 'FORBIDDEN' },
    'permission',
    'fatal',
  ],
  ['nonsense', new Error(''), 'unknown', 'zone'],
])('%s', (_what, of, kind, scope) => {
  expect(failureOf(of)).toMatchObject({ kind, scope });
});

test('an operation without an error is no failure', () => {
  expect(failureOf({ status: 'DONE', httpErrorStatusCode: null, error: null })).toBeUndefined();
  expect(failureOf({ done: true, response: {} })).toBeUndefined();
});

test('of two errors the one that says something counts', () => {
  const errors = [
    { code: 'VM_MIN_COUNT_NOT_REACHED', message: 'no' },
    { code: 'ZONE_RESOURCE_POOL_EXHAUSTED' },
  ];
  expect(failureOf({ error: { errors } })).toMatchObject({ kind: 'stock-out' });
  expect(failureOf({ error: { errors: errors.slice(0, 1) } })).toMatchObject({ kind: 'unknown' });
});

test('a zone that is said to have capacity is a hint, in the details and in the text', () => {
  const details = [
    {
      errorInfo: {
        reason: 'resource_availability',
        metadatas: { zone: 'us-east1-b', zonesAvailable: 'us-east1-c,us-east1-d' },
      },
    },
  ];
  expect(
    failureOf(operation('ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS', 'no', { errorDetails: details }))?.hints,
  ).toEqual(['us-east1-c', 'us-east1-d']);
  const message =
    'The zone does not have enough resources. Consider trying your request in the europe-west2-c zone(s), which currently has capacity to accommodate your request.';
  expect(failureOf(operation('ZONE_RESOURCE_POOL_EXHAUSTED', message))?.hints).toEqual(['europe-west2-c']);
});

test('a stock-out that is called a quota error is a stock-out, and the raw words are kept', () => {
  const message = 'The zone does not have enough resources available to fulfill the request';
  expect(failureOf(operation('QUOTA_EXCEEDED', message))).toMatchObject({
    kind: 'stock-out',
    raw: `QUOTA_EXCEEDED: ${message}`,
  });
});

test('a quota is told with metric, region, limit and where to ask', () => {
  expect(failureOf(operation('QUOTA_EXCEEDED', l4))).toMatchObject({
    metric: 'NVIDIA_L4_GPUS',
    limit: 0,
    words: expect.stringMatching(
      /^The quota NVIDIA_L4_GPUS of us-central1 is 0: there is none; ask for more at https:\/\/console/,
    ),
  });
  for (const message of [
    "Quota 'TPUV6EPerProjectPerZoneForTPUAPI' exhausted. Limit 4 in zone us-central1-a",
    "Quota limit 'TPUV6EPerProjectPerZoneForTPUAPI' has been exceeded. Limit: 4 in zone us-central1-a.",
  ])
    expect(failureOf(thrown({ status: 429, message }))).toMatchObject({
      kind: 'quota',
      metric: 'TPUV6EPerProjectPerZoneForTPUAPI',
      limit: 4,
    });
  const quotaInfo = {
    metricName: 'compute.googleapis.com/gpus_all_regions',
    limitName: 'GPUS-ALL-REGIONS-per-project',
    limit: 0,
    dimensions: {},
  };
  expect(failureOf(operation('QUOTA_EXCEEDED', 'no', { errorDetails: [{ quotaInfo }] }))).toMatchObject({
    kind: 'quota-zero',
    scope: 'global',
    metric: 'GPUS-ALL-REGIONS-per-project',
  });
  // Of H100 and B200 no limit is known, and that is not zero.
  expect(failureOf(operation('QUOTA_EXCEEDED', 'Quota exceeded for GPUS_PER_GPU_FAMILY'))).toMatchObject({
    kind: 'quota',
  });
});

test('the missing permission is named', () => {
  const message = "Required 'compute.instances.create' permission for 'projects/p/zones/z/instances/i'";
  expect(failureOf(thrown({ code: 7, message }))?.words).toMatch(
    /lacks the permission compute\.instances\.create/,
  );
});

test('whatever comes, it is read without being thrown at', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      failureOf(value);
      failureOf(Object.assign(new Error('x'), { response: value, details: value, code: value }));
      failureOf({ error: value });
    }),
  );
});
