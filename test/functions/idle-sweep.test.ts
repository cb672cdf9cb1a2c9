import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InstancesClient } from '@google-cloud/compute';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { prolong } from '../../shared/machines/idle/prolong.ts';
import { quick, setCompute, zone } from '../deploy/local/cloud/compute/kit.ts';
import { cpu, gpu, setSeries } from '../deploy/local/cloud/monitoring/kit.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { hour, iso, minute, openIdle } from './idleKit.ts';

const cloud = useLocalCloud();
let idle: Awaited<ReturnType<typeof openIdle>>;

beforeAll(async () => {
  idle = await openIdle(cloud);
  await setCompute(cloud, { ...quick, shutdown: 3000 });
});
beforeEach(() => idle.forget());

/** Two looks, and enough time for a countdown between them. */
async function sweepTwice(overrides: Parameters<typeof idle.sweep>[0] = {}, more: object = {}) {
  await idle.setTime(more);
  await idle.sweep(overrides);
  idle.clock.now += 16 * minute;
  await idle.setTime(more);
  await idle.sweep(overrides);
}

const nothing = { settings: {}, faults: [] as object[], reason: 'no-answer', why: '' };
test.each([
  [
    'no series',
    { ...nothing, settings: { holes: [{}] }, reason: 'no-samples', why: 'Monitoring has nothing on its CPU' },
  ],
  [
    'a metric that is not known',
    {
      ...nothing,
      settings: { unknownMetrics: [cpu] },
      reason: 'no-samples',
      why: 'Monitoring has nothing on its CPU',
    },
  ],
  [
    'too few samples for the window',
    {
      ...nothing,
      settings: { holes: [{ share: 0.5 }] },
      reason: 'no-samples',
      why: /^Monitoring has \d+ of 60 samples of its CPU$/,
    },
  ],
  [
    'a region that does not answer',
    { ...nothing, settings: { unreachableRegions: ['europe-west4'] }, why: /europe-west4 did not answer$/ },
  ],
  ['403', { ...nothing, faults: [{ service: 'monitoring', kind: 'permissionDenied' }], why: /denied/ }],
  [
    '500',
    {
      ...nothing,
      faults: [{ service: 'monitoring', kind: 'status', status: 500, path: '^/v3/' }],
      why: /A fault that was switched on/,
    },
  ],
  [
    '403 for its guest attributes',
    {
      ...nothing,
      faults: [{ service: 'compute', kind: 'permissionDenied', path: 'getGuestAttributes' }],
      why: /cannot be asked for its agent/,
    },
  ],
])('17. never stop on missing evidence: %s keeps a machine, and the record says so', async (_what, given) => {
  await idle.start('a');
  if (given.faults.length > 0) await setFaults(cloud, ...given.faults);
  await sweepTwice({}, given.settings);
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'keep',
    reason: given.reason,
    why: expect.stringMatching(given.why),
  });
  expect(await idle.changes()).toEqual([]);
  expect(await idle.notices()).toEqual([]);
});

test('18. busy though quiet: a download keeps a machine by what Monitoring says of its network, without an agent', async () => {
  await idle.start('a');
  const received = 'compute.googleapis.com/instance/network/received_bytes_count';
  await idle.load('a', 60 * 3e6, received);
  await idle.load('a', 60 * 20e3, received.replace('received', 'sent'));
  await sweepTwice();
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'keep',
    reason: 'at-work',
    why: 'its network was at 3 MB a second',
  });
  expect(await idle.changes()).toEqual([]);
});

test('18. busy though quiet: without an agent, a machine that was at work 90 minutes ago is kept, and with one it is not', async () => {
  const policy = { ...idle.dependencies().policy, afterWithoutAgent: 120 * minute };
  for (const name of ['silent', 'heard']) {
    await idle.start(name);
    await setSeries(cloud, {
      metric: cpu,
      instance: { zone, name },
      points: [[iso(Math.floor(idle.clock.now / minute - 90) * minute), 0.5]],
    });
  }
  await idle.speak('heard');
  await idle.setTime();
  await idle.sweep({ policy });
  expect(await idle.recordOf('silent')).toMatchObject({ do: 'keep', why: 'its CPU was at 50 %' });
  expect(await idle.recordOf('heard')).toMatchObject({ do: 'warn' });
  await idle.pass(45);
  await idle.sweep({ policy });
  expect(await idle.recordOf('silent')).toMatchObject({ do: 'warn', why: expect.stringMatching(/ 2 h, /) });
});

test('17. never stop on missing evidence: a Monitoring that hangs keeps a machine', async () => {
  await idle.start('a');
  await setFaults(cloud, { service: 'monitoring', kind: 'latency', ms: 2500, path: '^/v3/' });
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({ do: 'keep', reason: 'no-answer' });
});

test('17. never stop on missing evidence: a machine that was started again is as young as its last start', async () => {
  await idle.start('a');
  await idle.compute.stop(zone, 'a', { discardLocalSsd: false });
  const [{ latestResponse }] = await idle.google.instances.start({
    project: cloud.project,
    zone,
    instance: 'a',
  });
  await idle.google.operations.wait({ project: cloud.project, zone, operation: latestResponse.name ?? '' });
  const { createdAt, startedAt = '' } = (await idle.compute.look(zone, 'a')) ?? {};
  expect(startedAt > (createdAt ?? '')).toBe(true);
  const now = Date.parse(startedAt) + 30 * minute - 1;
  await idle.sweep({ now: () => now });
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'keep',
    reason: 'young',
    why: 'it was started 30 min ago',
  });
});

test('18. busy though quiet: a download phase with a fresh heartbeat keeps a machine', async () => {
  await idle.start('a');
  await idle.load('a', 0.01);
  await idle.load('a', 0, gpu, { gpu_number: '0' });
  for (const heartbeat of [{ busy: 'download of the recordings' }, { networkAt: idle.ago(1) }]) {
    await idle.speak('a', heartbeat);
    await idle.sweep();
    expect(await idle.recordOf('a')).toMatchObject({ do: 'keep', reason: 'at-work' });
    await idle.pass(20);
  }
  expect(await idle.changes()).toEqual([]);
});

test('18. busy though quiet: a person in SSH keeps a machine', async () => {
  await idle.start('a');
  await idle.speak('a', { ssh: { sessions: 1, at: idle.ago(90) } });
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'keep',
    reason: 'person',
    why: 'somebody is logged in, and was there 90 min ago',
  });
});

test('18. busy though quiet: a kernel idle for 3 hours, no heartbeat, CPU at 2 %: stopped after a warning', async () => {
  await idle.start('a');
  await idle.sweep();
  const { stopAt, why } = await idle.recordOf('a');
  expect(why).toBe('nothing has happened for 60 min, CPU at most 2 %, no agent');
  expect(Date.parse(stopAt ?? '') - idle.clock.now).toBeLessThan(16 * minute);
  expect(await idle.labelsOf('a')).toEqual({
    'gazeline-stop-at': (stopAt ?? '').replace(/:(\d\d):.*/, '$1z').toLowerCase(),
  });
  await idle.pass(10);
  await idle.sweep();
  expect(await idle.statusOf('a')).toBe('RUNNING');
  expect(await idle.changes()).toEqual(['instances/a/setLabels']);
  await idle.pass(6);
  await idle.sweep();
  expect(await idle.statusOf('a')).toBe('TERMINATED');
  expect(await idle.recordOf('a')).toMatchObject({ do: 'stop', outcome: { what: 'stopped' } });
  const notices = await idle.notices();
  expect(notices.map(({ kind }) => kind)).toEqual(['idle-warning', 'idle-done']);
  expect(notices[0]?.machines).toEqual([{ what: `${zone}/a`, why, stopAt }]);
  await idle.pass(5);
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'keep',
    reason: 'not-running',
    outcome: { what: 'stopped' },
  });
});

test('18. busy though quiet: with an agent, a kernel idle for 3 hours is stopped, and one that computes is not', async () => {
  await idle.start('a');
  await idle.start('b');
  const said = (busy: number) => ({ kernels: { count: 1, busy, at: idle.ago(180) }, ssh: { sessions: 0 } });
  for (const minutes of [0, 16]) {
    await idle.pass(minutes);
    await idle.speak('a', said(0));
    await idle.speak('b', said(1));
    await idle.sweep();
  }
  expect(await idle.statusOf('a')).toBe('TERMINATED');
  expect((await idle.recordOf('a')).why).toContain('the last kernel was used 3 h ago');
  expect(await idle.recordOf('b')).toMatchObject({ do: 'keep', why: '1 of its kernels compute' });
});

test('18. busy though quiet: a forgotten SSH session older than the hard limit is warned of, then stopped', async () => {
  await idle.start('a');
  const speak = () => idle.speak('a', { ssh: { sessions: 1, at: idle.ago(13 * 60) } });
  await speak();
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'warn',
    why: expect.stringContaining('a session was forgotten 13 h ago'),
  });
  await idle.pass(16);
  await speak();
  await idle.sweep();
  expect(await idle.statusOf('a')).toBe('TERMINATED');
});

test('18. busy though quiet: whoever comes back in the countdown keeps the machine, and a later label prolongs it', async () => {
  await idle.start('a');
  await idle.start('b');
  await idle.sweep();
  await idle.load('a', 0.6);
  const vms = idle.dependencies().vms;
  const b = (await vms.list()).machines.find(({ name }) => name === 'b');
  if (!b) throw new Error('b is not there');
  const later = new Date(idle.clock.now + 3 * hour);
  later.setUTCSeconds(0, 0);
  await vms.label(
    b,
    'gazeline-stop-at',
    iso(later.getTime())
      .replace(/:(\d\d):.*/, '$1z')
      .toLowerCase(),
  );
  await idle.pass(16);
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'keep',
    reason: 'at-work',
    why: 'its CPU was at 60 %',
  });
  expect(await idle.labelsOf('a')).toEqual({});
  expect(await idle.recordOf('b')).toMatchObject({ do: 'warn', stopAt: later.toISOString() });
  expect(await idle.statusOf('b')).toBe('RUNNING');
});

test('23. local SSD and verify: what becomes of a Local SSD is always said, as the setting says', async () => {
  for (const discardLocalSsd of [false, true]) {
    const scratch = {
      type: 'SCRATCH',
      autoDelete: true,
      initializeParams: { diskType: 'zones/europe-west4-a/diskTypes/local-ssd' },
    };
    const boot = {
      boot: true,
      autoDelete: true,
      initializeParams: { sourceImage: 'projects/debian-cloud/global/images/family/debian-12' },
    };
    await idle.start('fast', {
      machineType: `zones/${zone}/machineTypes/n1-standard-2`,
      disks: [boot, scratch],
    });
    await sweepTwice({ discardLocalSsd });
    const stops = (await idle.changes()).filter((one) => one.includes('/stop'));
    expect(stops).toEqual([`instances/fast/stop?discardLocalSsd=${discardLocalSsd}`]);
    expect(await idle.statusOf('fast')).toBe('TERMINATED');
    await idle.forget();
  }
});

test('23. local SSD and verify: an operation that is done with an error is reported, not counted as stopped, and tried again', async () => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        name: 'operation-1',
        status: 'DONE',
        httpErrorStatusCode: 503,
        error: { errors: [{ code: 'INTERNAL_ERROR', message: 'It went wrong.' }] },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const auth = {
    getClient: async () => auth,
    getRequestHeaders: async () => new Headers(),
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    universeDomain: 'googleapis.com',
  };
  const { port } = server.address() as AddressInfo;
  const options = { apiEndpoint: '127.0.0.1', port, protocol: 'http', projectId: 'p', fallback: true, auth };
  const instances = new InstancesClient(
    options as unknown as ConstructorParameters<typeof InstancesClient>[0],
  );
  const compute = computeEngine(cloud.project, { ...idle.given, instances });
  await idle.start('a');
  await sweepTwice({ compute });
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'stop',
    outcome: { what: 'failed', words: expect.stringContaining('It went wrong.') },
  });
  expect(await idle.statusOf('a')).toBe('RUNNING');
  await idle.pass(5);
  await idle.sweep({ compute });
  expect(asked).toBe(2);
  // Told once, not each time.
  expect((await idle.notices()).map(({ kind }) => kind)).toEqual(['idle-warning', 'idle-done']);
  await idle.sweep();
  expect(await idle.statusOf('a')).toBe('TERMINATED');
  await instances.close();
  server.closeAllConnections();
  server.close();
});

test('23. local SSD and verify: a dry run makes no POST at all, and says what it would have done', async () => {
  await idle.start('a');
  await forgetRequests(cloud);
  await sweepTwice({ isRehearsal: true });
  for (const service of ['compute', 'notebooks', 'monitoring', 'pubsub']) {
    const requests = (await requestsAt(cloud, service)).filter(({ url }) => !url.startsWith('/_local/'));
    expect(requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  }
  expect(await idle.recordOf('a')).toMatchObject({ do: 'stop', isRehearsal: true });
  // A rehearsal has warned nobody.
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({ do: 'warn', isRehearsal: false });
  expect(await idle.statusOf('a')).toBe('RUNNING');
});

test('18. busy though quiet: who needs a machine prolongs its countdown with one click, is known by name, and once warned is enough', async () => {
  await idle.start('a', { labels: { 'gazeline-owner': 'ada' } });
  await idle.setTime();
  await idle.sweep();
  const { id, stopAt = '', owner } = await idle.recordOf('a');
  expect(owner).toBe('ada');
  const given = { ...idle.dependencies(), now: () => idle.clock.now };
  expect(await prolong('nobody', { by: 'bo', minutes: 60 }, given)).toBeUndefined();
  const later = new Date(Date.parse(stopAt) + hour).toISOString();
  expect(await prolong(id, { by: 'bo', minutes: 60 }, given)).toEqual({ stopAt: later });
  expect((await idle.recordOf('a')).history.at(-1)?.why).toBe(`bo needs it until ${later}`);
  await idle.pass(20);
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({ do: 'warn', stopAt: later });
  expect(await idle.notices()).toHaveLength(1);
  await idle.pass(60);
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({ outcome: { what: 'stopped' } });
  expect(await prolong(id, { by: 'bo', minutes: 60 }, given)).toBeUndefined();
});
