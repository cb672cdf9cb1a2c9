import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decide, quietCpu, quietNetwork, seenBy } from '../../../../shared/machines/idle/decide.ts';
import { busier, type Evidence, type Measured } from '../../../../shared/machines/idle/evidence.ts';
import type { Heartbeat } from '../../../../shared/machines/idle/heartbeat.ts';
import type { IdleMachine } from '../../../../shared/machines/idle/idleMachine.ts';
import { type IdlePolicy, longestWindow, policyOf, urgent } from '../../../../shared/machines/idle/policy.ts';

const minute = 60_000;
const hour = 60 * minute;
const now = Date.parse('2026-11-20T12:00:00Z');
const ago = (ms: number) => new Date(now - ms).toISOString();
const policy: IdlePolicy = { after: hour, countdown: 15 * minute, grace: 30 * minute, hardLimit: 12 * hour };
const machine: IdleMachine & { stopAt?: string } = {
  kind: 'vm',
  name: 'a',
  zone: 'europe-west4-a',
  id: '1',
  machineType: 'n1-standard-8',
  vcpus: 8,
  guestAccelerators: [{ type: 'nvidia-tesla-t4', count: 1 }],
  model: 'standard',
  diskGb: 50,
  localSsd: false,
  isKubernetes: false,
  hasOptedOut: false,
  status: 'RUNNING',
  labels: {},
  createdAt: ago(90 * 24 * hour),
  startedAt: ago(6 * hour),
};
const measured = (most: number, samples = 60): Measured => ({
  kind: 'measured',
  most,
  samples,
  expected: 60,
});
const quiet: Evidence = {
  isZoneThere: true,
  cpu: measured(0.02),
  gpu: { kind: 'none' },
  network: { kind: 'none' },
  heartbeat: { kind: 'none' },
};
const warned = { ...machine, stopAt: ago(minute) };
const heard = (heartbeat: Partial<Heartbeat>): Evidence => ({
  ...quiet,
  heartbeat: { kind: 'heard', heartbeat: { at: ago(minute), ...heartbeat } },
});
const on = (one: Partial<IdleMachine>, evidence = quiet) =>
  decide({ ...warned, ...one }, evidence, policy, now);

test('an idle machine is warned of, waits for the end of its countdown, and is stopped then', () => {
  expect(decide(machine, quiet, policy, now)).toEqual({
    do: 'warn',
    reason: 'idle',
    why: 'nothing has happened for 60 min, CPU at most 2 %, no agent',
    stopAt: '2026-11-20T12:15:00.000Z',
    evidence: quiet,
  });
  const counting = { ...machine, stopAt: '2026-11-20T12:15:00.000Z' };
  expect(decide(counting, quiet, policy, now + 14 * minute)).toMatchObject({
    do: 'warn',
    stopAt: counting.stopAt,
  });
  expect(decide(counting, quiet, policy, now + 15 * minute)).toMatchObject({
    do: 'stop',
    stopAt: counting.stopAt,
  });
  // A warning of long ago was of another time.
  expect(decide(counting, quiet, policy, now + 16 * minute + hour).do).toBe('warn');
});

test.each([
  ['no series', { ...quiet, cpu: { kind: 'none' } as const }, 'no-samples'],
  ['an error', { ...quiet, cpu: { kind: 'unknown', why: '403' } as const }, 'no-answer'],
  ['an error for the GPU', { ...quiet, gpu: { kind: 'unknown', why: '500' } as const }, 'no-answer'],
  ['too few samples', { ...quiet, cpu: measured(0.02, 47) }, 'no-samples'],
  ['too few samples of the GPU', { ...quiet, gpu: measured(0, 10) }, 'no-samples'],
  [
    'guest attributes that cannot be read',
    { ...quiet, heartbeat: { kind: 'unknown', why: '403' } as const },
    'no-answer',
  ],
  ['a zone that does not answer', { ...quiet, isZoneThere: false }, 'zone-unseen'],
  ['an agent with a wrong clock', heard({ at: ago(-hour) }), 'no-answer'],
  ['an agent that has fallen silent', heard({ at: ago(3 * hour) }), 'silent-agent'],
  ['one busy minute of the CPU', { ...quiet, cpu: measured(0.06) }, 'at-work'],
  ['one busy minute of the GPU', { ...quiet, gpu: measured(0.05) }, 'at-work'],
  ['one busy minute of the network', { ...quiet, network: measured(1.2e6) }, 'at-work'],
  ['an error for the network', { ...quiet, network: { kind: 'unknown', why: '500' } as const }, 'no-answer'],
  ['something that says it is at work', heard({ busy: 'download' }), 'at-work'],
  ['a kernel that computes', heard({ kernels: { count: 1, busy: 1 } }), 'at-work'],
  ['a kernel that was used', heard({ kernels: { count: 1, busy: 0, at: ago(59 * minute) } }), 'at-work'],
  ['a GPU that was used', heard({ gpuAt: ago(59 * minute) }), 'at-work'],
  ['a network that was used', heard({ networkAt: ago(59 * minute) }), 'at-work'],
  ['a person in SSH', heard({ ssh: { sessions: 1, at: ago(11 * hour) } }), 'person'],
  ['a person in SSH of whom no more is known', heard({ ssh: { sessions: 1 } }), 'person'],
])(
  '17. never stop on missing evidence, 18. busy though quiet: %s keeps a machine',
  (_what, evidence, reason) => {
    expect(on({}, evidence)).toMatchObject({ do: 'keep', reason });
  },
);

test.each([
  ['an agent that reports nothing', heard({})],
  [
    'kernels that were last used three hours ago',
    heard({ kernels: { count: 2, busy: 0, at: ago(3 * hour) } }),
  ],
  ['an SSH session older than the hard limit', heard({ ssh: { sessions: 1, at: ago(13 * hour) } })],
  ['an agent of before the last start', heard({ at: ago(7 * hour), busy: 'download' })],
  ['a quiet network', { ...quiet, network: measured(0.9e6) }],
  ['a quiet GPU', { ...quiet, gpu: measured(0.04) }],
  ['48 of 60 samples', { ...quiet, cpu: measured(0.02, 48) }],
])('18. busy though quiet: %s does not keep a machine', (_what, evidence) => {
  expect(on({}, evidence).do).toBe('stop');
});

test('18. busy though quiet: an agent that fell silent before the hard limit holds nothing', () => {
  expect(on({ startedAt: ago(48 * hour) }, heard({ at: ago(13 * hour) })).do).toBe('stop');
});

test('17. never stop on missing evidence: its age counts from the last start, not from the first', () => {
  expect(on({ startedAt: ago(29 * minute) })).toMatchObject({
    do: 'keep',
    reason: 'young',
    why: 'it was started 29 min ago',
  });
  const { startedAt: _, ...unknown } = warned;
  expect(decide(unknown, quiet, policy, now)).toMatchObject({ do: 'keep', reason: 'start-unknown' });
});

const statuses = [
  ...[
    'STOPPING',
    'PENDING_STOP',
    'PENDING',
    'PROVISIONING',
    'STAGING',
    'REPAIRING',
    'SUSPENDED',
    'SUSPENDING',
  ],
  ...['STOPPED', 'TERMINATED', 'DEPROVISIONING', 'HIBERNATING', ''],
];
test.each(statuses)('20. every status: a machine that is %s is not stopped', (status) => {
  expect(on({ status })).toMatchObject({ do: 'keep', reason: 'not-running', why: `it is ${status}` });
});

test.each([
  [
    'a job of ours',
    {
      name: 'gazeline-fit-0a1b2c3d-1',
      labels: { 'gazeline-lab': 'gazeline', 'gazeline-job': 'fit-0a1b2c3d' },
    },
    'job',
  ],
  ['a label', { labels: { 'gazeline-protect': '' } }, 'protected'],
  ['a label with a date', { labels: { 'gazeline-protect-until': '2026-11-20' } }, 'protected'],
  ['deletion protection', { deletionProtection: true as const }, 'protected'],
  ['a group', { createdBy: 'projects/1/zones/z/instanceGroupManagers/g' }, 'managed'],
  ['GKE', { labels: { 'goog-k8s-cluster-name': 'c' } }, 'managed'],
  ['Batch', { labels: { 'goog-batch-worker': 'true' } }, 'managed'],
  ['Dataflow', { labels: { 'goog-dataflow-job-id': 'j' } }, 'managed'],
  ['Dataproc', { labels: { 'goog-dataproc-cluster-name': 'c' } }, 'managed'],
  ['its owner', { hasOptedOut: true }, 'opted-out'],
])('19. protection: %s keeps a machine', (_what, one, reason) => {
  expect(on(one)).toMatchObject({ do: 'keep', reason });
});

test.each([
  ['a name', { name: 'gke-report' }],
  [
    'the label of a job, copied',
    { name: 'copy', labels: { 'gazeline-lab': 'gazeline', 'gazeline-job': 'fit-0a1b2c3d' } },
  ],
  [
    'a label that only looks alike',
    { labels: { 'gazeline-protected': 'yes', 'my-goog-gke-node': '', gke: 'yes' } },
  ],
  ['an end that is past', { labels: { 'gazeline-protect': 'yes', 'gazeline-protect-until': '2026-11-18' } }],
  ['who made it, if that was a person', { createdBy: 'ada@lab.org' }],
])('19. protection: %s does not keep a machine', (_what, one) => {
  expect(on(one).do).toBe('stop');
});

test('18. busy though quiet: where no agent is heard, it has to be quiet for longer', () => {
  const rules = policyOf({
    ...{ idleAfter: 60, idleAfterWithoutAgent: 120, idleCountdown: 15, idleGrace: 30, idleHardLimit: 240 },
    idleDeleteAfter: undefined,
  });
  const afterOf = (evidence: Evidence) => seenBy(evidence.heartbeat, rules, now).after / minute;
  expect(afterOf(heard({}))).toBe(60);
  expect(afterOf({ ...quiet, heartbeat: { kind: 'unasked' } })).toBe(60);
  expect(afterOf(quiet)).toBe(120);
  expect(afterOf(heard({ at: ago(11 * minute) }))).toBe(120);
  expect(longestWindow(rules)).toBe(2 * hour);
  expect(decide(machine, quiet, rules, now).why).toMatch(/^nothing has happened for 2 h/);
  expect(decide(machine, quiet, urgent(rules), now).why).toMatch(/^nothing has happened for 40 min/);
  // Who has asked for more than that has it everywhere.
  const long = policyOf({
    ...{ idleAfter: 300, idleAfterWithoutAgent: 120, idleCountdown: 15, idleGrace: 30, idleHardLimit: 240 },
    idleDeleteAfter: undefined,
  });
  expect(seenBy(quiet.heartbeat, long, now).after).toBe(5 * hour);
});

test('of what was sent and received, the larger is a sign of life, and an error is none of its absence', () => {
  expect(busier(measured(1, 50), measured(9, 40))).toEqual(measured(9, 40));
  const unknown: Measured = { kind: 'unknown', why: '500' };
  for (const other of [measured(1), { kind: 'none' } as const]) {
    expect(busier(other, unknown)).toEqual(unknown);
    expect(busier(unknown, other)).toEqual(unknown);
    expect(busier(other, { kind: 'none' })).toEqual(other);
    expect(busier({ kind: 'none' }, other)).toEqual(other);
  }
});

test('on a large machine, one thread is work as well', () => {
  expect([2, 8, 10, 96].map((vcpus) => Number(quietCpu(vcpus).toFixed(4)))).toEqual([
    0.05, 0.05, 0.05, 0.0052,
  ]);
  expect(on({ vcpus: 96 }, { ...quiet, cpu: measured(0.0104) })).toMatchObject({
    do: 'keep',
    reason: 'at-work',
  });
});

// ------------------------------------------------------------------------------------------------------- of any evidence

const aMeasured: fc.Arbitrary<Measured> = fc.oneof(
  fc.record({
    kind: fc.constant('measured' as const),
    samples: fc.integer({ min: 0, max: 60 }),
    expected: fc.constant(60),
    most: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.constant({ kind: 'none' as const }),
  fc.constant({ kind: 'unknown' as const, why: '500' }),
);
const aTime = fc.integer({ min: -hour, max: 40 * hour }).map(ago);
const aHeartbeat: fc.Arbitrary<Heartbeat> = fc.record(
  {
    at: aTime,
    busy: fc.constantFrom('', 'download'),
    gpuAt: aTime,
    networkAt: aTime,
    kernels: fc.record(
      { count: fc.constant(2), busy: fc.nat(2), at: aTime },
      { requiredKeys: ['count', 'busy'] },
    ),
    ssh: fc.record({ sessions: fc.nat(2), at: aTime }, { requiredKeys: ['sessions'] }),
  },
  { requiredKeys: ['at'] },
);
const anEvidence: fc.Arbitrary<Evidence> = fc.record({
  isZoneThere: fc.boolean(),
  cpu: aMeasured,
  gpu: aMeasured,
  network: fc.oneof(
    fc.constant(measured(2e3)),
    aMeasured.map((one) => (one.kind === 'measured' ? { ...one, most: 2e6 * one.most } : one)),
  ),
  heartbeat: fc.oneof(
    aHeartbeat.map((heartbeat) => ({ kind: 'heard' as const, heartbeat })),
    fc.constant({ kind: 'none' as const }),
    fc.constant({ kind: 'unknown' as const, why: '403' }),
  ),
});
const aMachine = fc
  .record({
    status: fc.oneof({ weight: 5, arbitrary: fc.constant('RUNNING') }, fc.constantFrom(...statuses)),
    labels: fc.constantFrom<Record<string, string>>(
      {},
      {},
      {},
      { 'gazeline-protect': 'yes' },
      { 'goog-gke-node': '' },
    ),
    startedAt: fc.integer({ min: 0, max: 40 * hour }).map(ago),
    vcpus: fc.constantFrom(2, 8, 96, undefined),
    stopAt: fc.option(fc.integer({ min: -2 * hour, max: 3 * hour }).map(ago), { nil: undefined }),
  })
  .map(({ stopAt, ...one }) => ({ ...machine, ...one, ...(stopAt ? { stopAt } : {}) }));
const aPolicy = fc.constantFrom(policy, urgent(policy));

test('whatever is known, a machine is stopped only if it runs, was warned of, and all that there is says that it is idle', async () => {
  await fc.assert(
    fc.property(aMachine, anEvidence, aPolicy, (one, evidence, rules) => {
      const { do: act, stopAt } = decide(one, evidence, rules, now);
      if (act === 'keep') return;
      const { cpu, gpu, network, heartbeat } = evidence;
      expect(one.status).toBe('RUNNING');
      expect(one.labels).toEqual({});
      expect(now - Date.parse(one.startedAt)).toBeGreaterThanOrEqual(rules.grace);
      expect(evidence.isZoneThere).toBe(true);
      expect(cpu).toMatchObject({ kind: 'measured' });
      if (cpu.kind === 'measured') {
        expect(cpu.most).toBeLessThan(quietCpu(one.vcpus));
        expect(cpu.samples).toBeGreaterThanOrEqual(48);
      }
      expect(gpu.kind).not.toBe('unknown');
      expect(network.kind).not.toBe('unknown');
      if (network.kind === 'measured') expect(network.most).toBeLessThan(quietNetwork);
      expect(heartbeat.kind).not.toBe('unknown');
      if (act === 'stop') {
        expect(Date.parse(one.stopAt ?? '')).toBeLessThanOrEqual(now);
        expect(stopAt).toBe(one.stopAt);
      } else expect(Date.parse(stopAt ?? '')).toBeGreaterThan(now);
    }),
    { numRuns: 3000 },
  );
});

test('whatever is known, a sign of life never makes it worse for a machine', async () => {
  const signs = [
    { busy: 'x' },
    { gpuAt: ago(0) },
    { networkAt: ago(0) },
    { ssh: { sessions: 1, at: ago(0) } },
  ];
  await fc.assert(
    fc.property(aMachine, anEvidence, aPolicy, fc.constantFrom(...signs), (one, evidence, rules, sign) => {
      const before = evidence.heartbeat.kind === 'heard' ? evidence.heartbeat.heartbeat : {};
      const heartbeat = { ...before, at: ago(0), ...sign };
      const alive: Evidence = { ...evidence, heartbeat: { kind: 'heard', heartbeat } };
      expect(decide(one, alive, rules, now).do).toBe('keep');
    }),
    { numRuns: 2000 },
  );
});
