import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { newRecord } from '../../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../../shared/jobs/parseJob.ts';
import { candidatesOf } from '../../../shared/machines/candidates.ts';
import { instanceRequest } from '../../../shared/machines/instanceBody.ts';
import { labelValue, machineName, machineNamed, requestIdOf, uuid5 } from '../../../shared/machines/names.ts';
import { priceTable } from '../../../shared/machines/priceTable.ts';
import { tpuRequest } from '../../../shared/machines/tpuBody.ts';

const settings = {
  project: 'lab-p',
  lab: 'Gaze Lab',
  rawBucket: 'lab-raw',
  derivedBucket: 'lab-derived',
  serviceAccount: 'machines@lab-p.iam.gserviceaccount.com',
  startupScript: '#!/bin/bash\n',
};
const job = parseJob(`
name: Fit it
repository: https://github.com/lab/analysis
script: fit.py
arguments: [--rate, 0.5, "two words"]
environment: { pip: requirements.txt }
inputs: [raw/recordings/, { bucket: derived, prefix: a/b, folder: c }]
results: [results, figures]
checkpoints: ckpt
parameters: { a: "line\\nline" }
accelerators: [L4, T4:2, v5litepod-4, cpu]
disk: 20
`);
const record = {
  ...newRecord({
    id: 'fit-it-0a1b2c3d',
    digest: 'd',
    job,
    owner: 'Ada.Löw@Lab.org',
    createdAt: '2026-01-01T00:00:00Z',
  }),
  commit: 'c'.repeat(40),
};
const candidateOf = (accelerator: string, model: 'spot' | 'standard') => {
  const found = candidatesOf(job, [model], priceTable()).find((one) => one.accelerator === accelerator);
  if (!found) throw new Error(accelerator);
  return found;
};
const request = (accelerator: string, model: 'spot' | 'standard', more: object = {}) =>
  instanceRequest(record, 2, candidateOf(accelerator, model), {
    seconds: 3600,
    round: 0,
    settings: { ...settings, ...more },
  });

test('the request carries its own end, whatever the machine', () => {
  for (const accelerator of ['L4', 'T4:2', 'cpu:4'])
    for (const model of ['spot', 'standard'] as const) {
      const { instanceResource } = request(accelerator, model);
      expect(instanceResource).toMatchObject({
        name: 'gazeline-fit-it-0a1b2c3d-2',
        scheduling: {
          maxRunDuration: { seconds: 3600 },
          instanceTerminationAction: 'DELETE',
          automaticRestart: false,
          provisioningModel: model === 'spot' ? 'SPOT' : 'STANDARD',
          onHostMaintenance: accelerator === 'cpu:4' && model === 'standard' ? 'MIGRATE' : 'TERMINATE',
        },
        disks: [{ boot: true, autoDelete: true }],
        labels: {
          'gazeline-lab': 'gaze-lab',
          'gazeline-job': 'fit-it-0a1b2c3d',
          'gazeline-attempt': '2',
          'gazeline-owner': 'ada-low-lab-org',
        },
        serviceAccounts: [
          { email: settings.serviceAccount, scopes: ['https://www.googleapis.com/auth/cloud-platform'] },
        ],
      });
    }
});

test('attached GPUs are named, those that belong to the machine are not', () => {
  const { zone } = candidateOf('T4:2', 'spot');
  expect(request('T4:2', 'spot').instanceResource).toMatchObject({
    machineType: `zones/${zone}/machineTypes/n1-standard-16`,
    guestAccelerators: [
      { acceleratorType: `zones/${zone}/acceleratorTypes/nvidia-tesla-t4`, acceleratorCount: 2 },
    ],
  });
  expect(request('L4', 'spot').instanceResource).toMatchObject({ guestAccelerators: [] });
});

test('the image goes with the machine, and the disk is never smaller than it', () => {
  const diskOf = (accelerator: string, more: object = {}) =>
    request(accelerator, 'spot', more).instanceResource?.disks?.[0]?.initializeParams;
  expect(diskOf('L4')).toMatchObject({
    diskSizeGb: 50,
    sourceImage: expect.stringMatching(/deeplearning-platform-release\/.*nvidia/),
  });
  expect(diskOf('cpu:4')).toMatchObject({
    diskSizeGb: 20,
    sourceImage: expect.stringMatching(/debian-cloud/),
  });
  const images = { gpu: { project: 'lab-p', family: 'ours', minimumDisk: 30 } };
  expect(diskOf('L4', { images })).toMatchObject({
    diskSizeGb: 30,
    sourceImage: 'projects/lab-p/global/images/family/ours',
  });
});

test('the machine is told everything in plain text, one value each', () => {
  const items = request('L4', 'spot').instanceResource?.metadata?.items ?? [];
  expect(Object.fromEntries(items.map(({ key, value }) => [key, value]))).toEqual({
    'startup-script': '#!/bin/bash\n',
    'enable-guest-attributes': 'TRUE',
    'gazeline-job': 'fit-it-0a1b2c3d',
    'gazeline-attempt': '2',
    'gazeline-name': 'Fit it',
    'gazeline-repository': 'https://github.com/lab/analysis',
    'gazeline-commit': 'c'.repeat(40),
    'gazeline-ref': 'HEAD',
    'gazeline-run': 'script',
    'gazeline-target': 'fit.py',
    'gazeline-arguments': '--rate\n0.5\ntwo words',
    'gazeline-parameters': '{"a":"line\\nline"}',
    'gazeline-environment': 'pip',
    'gazeline-requirements': 'requirements.txt',
    'gazeline-inputs': 'lab-raw\trecordings/\traw/recordings\nlab-derived\ta/b\tc',
    'gazeline-results': 'results\nfigures',
    'gazeline-checkpoints': 'ckpt',
    'gazeline-derived-bucket': 'lab-derived',
    'gazeline-checkpoint-seconds': '300',
    'gazeline-report-seconds': '30',
    'gazeline-storage': 'https://storage.googleapis.com',
  });
});

test('network and address follow the settings', () => {
  const interfaceOf = (more: object) => request('L4', 'spot', more).instanceResource?.networkInterfaces?.[0];
  expect(interfaceOf({})).toEqual({
    network: 'global/networks/default',
    accessConfigs: [{ name: 'External NAT', type: 'ONE_TO_ONE_NAT' }],
  });
  const { region } = candidateOf('L4', 'spot');
  expect(interfaceOf({ externalAddress: false, subnetworks: { [region]: 's' } })).toEqual({
    network: 'global/networks/default',
    subnetwork: 's',
  });
});

test.each([0, 29, 30.5, 120 * 86_400 + 1, Number.NaN, -1])(
  '%d seconds are no limit, and no machine is asked for',
  (seconds) => {
    expect(() =>
      instanceRequest(record, 1, candidateOf('L4', 'spot'), { seconds, round: 0, settings }),
    ).toThrow('cannot be limited');
  },
);

test('a TPU is asked for by a queued resource with the same name, labels and words', () => {
  const candidate = candidateOf('v5litepod-4', 'spot');
  const { requestBody, ...rest } = tpuRequest(record, 2, candidate, { seconds: 600, round: 0, settings });
  expect(rest).toMatchObject({
    parent: `projects/lab-p/locations/${candidate.zone}`,
    queuedResourceId: 'gazeline-fit-it-0a1b2c3d-2',
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(requestBody).toMatchObject({
    spot: {},
    queueingPolicy: { validUntilDuration: '600s' },
    tpu: {
      nodeSpec: [
        {
          nodeId: 'gazeline-fit-it-0a1b2c3d-2',
          node: {
            acceleratorType: 'v5litepod-4',
            runtimeVersion: 'v2-alpha-tpuv5-lite',
            labels: { 'gazeline-owner': 'ada-low-lab-org' },
            metadata: { 'gazeline-run': 'script', 'gazeline-seconds': '600' },
          },
        },
      ],
    },
  });
  expect(() =>
    tpuRequest(record, 2, candidateOf('L4', 'spot'), { seconds: 600, round: 0, settings }),
  ).toThrow('no type of a TPU');
  expect(() => instanceRequest(record, 2, candidate, { seconds: 600, round: 0, settings })).toThrow(
    'no type of a VM',
  );
});

test('a request id is a UUID of version 5, the same for the same and another for anything else', () => {
  const l4 = {
    zone: 'us-east1-b',
    machineType: 'g2-standard-8',
    guestAccelerators: [],
    model: 'spot' as const,
  };
  const id = requestIdOf('j', 1, l4, 0);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const others = [
    requestIdOf('k', 1, l4, 0),
    requestIdOf('j', 2, l4, 0),
    requestIdOf('j', 1, { ...l4, zone: 'us-east1-c' }, 0),
    requestIdOf('j', 1, { ...l4, model: 'standard' }, 0),
    requestIdOf('j', 1, l4, 1),
    requestIdOf('j', 1, { ...l4, guestAccelerators: [{ type: 'nvidia-tesla-t4', count: 1 }] }, 0),
  ];
  expect(new Set([id, ...others]).size).toBe(7);
  expect(requestIdOf('j', 1, l4, 0)).toBe(id);
  expect(uuid5('')).not.toMatch(/^[0-]+$/);
});

test('names of machines are read as they are written, and a name that only begins so is another', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
      fc.integer({ min: 1, max: 1000 }),
      (id, attempt) => {
        const name = machineName(id, attempt);
        expect(name.length).toBeLessThanOrEqual(63);
        expect(name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
        expect(machineNamed(name)).toEqual({ job: id, attempt });
      },
    ),
  );
  expect(machineNamed('gazeline-j-1')).toEqual({ job: 'j', attempt: 1 });
  expect(machineNamed('gazeline-j-10')).toEqual({ job: 'j', attempt: 10 });
  for (const name of [
    'gazeline-j',
    'gazeline-j-0',
    'gazeline-j-01',
    'my-gazeline-j-1',
    'gazeline-j-1 ',
    'gazeline--1',
  ])
    expect(machineNamed(name)).toBeUndefined();
});

test('any text becomes a label', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(labelValue(text)).toMatch(/^[a-z0-9_-]{1,63}$/);
    }),
  );
  expect(labelValue('@')).toBe('unknown');
});
