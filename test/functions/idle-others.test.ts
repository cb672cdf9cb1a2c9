import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { functions } from '../../functions/index.ts';
import type { GuardActions } from '../../shared/budget/performSteps.ts';
import { clients } from '../../shared/clients.ts';
import { IdleRecord, idleRecordName } from '../../shared/machines/idle/idleRecord.ts';
import { idleVms } from '../../shared/machines/idle/idleVms.ts';
import { urgent } from '../../shared/machines/idle/policy.ts';
import { sweepIdle } from '../../shared/machines/idle/sweepIdle.ts';
import { quick, setCompute, until, zone } from '../deploy/local/cloud/compute/kit.ts';
import { setSeries } from '../deploy/local/cloud/monitoring/kit.ts';
import { clientOf, create, parentOf } from '../deploy/local/cloud/notebooks/kit.ts';
import { at, node, nodeAt, quick as quickTpu, setTpu, untilNode } from '../deploy/local/cloud/tpu/kit.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openGuard } from './guardKit.ts';
import { minute, openIdle } from './idleKit.ts';

const cloud = useLocalCloud();
let idle: Awaited<ReturnType<typeof openIdle>>;
const usual = { ...quick, shutdown: 3000 };

beforeAll(async () => {
  idle = await openIdle(cloud);
});
beforeEach(async () => {
  await setCompute(cloud, usual);
  await idle.forget();
});

async function sweepTwice(overrides: Parameters<typeof idle.sweep>[0] = {}) {
  await idle.sweep(overrides);
  await idle.pass(16);
  await idle.sweep(overrides);
}
const stops = async () => (await idle.changes()).filter((one) => /\/stop|:stop/.test(one));

test('19. protection: by label, deletion protection, and by what GKE, groups, Batch and Dataflow leave, not by the name', async () => {
  const group = 'projects/1/zones/z/instanceGroupManagers/g';
  await idle.start('labelled', { labels: { 'gazeline-protect': 'yes' } });
  await idle.start('node', { labels: { 'goog-gke-node': '' } });
  await idle.start('kube', {}, { items: [{ key: 'kube-env', value: 'A: b' }] });
  await idle.start('grouped', {}, { items: [{ key: 'created-by', value: group }] });
  await idle.start('batch', { labels: { 'goog-batch-worker': 'true' } });
  await idle.start('dataflow', { labels: { 'goog-dataflow-job-name': 'j' } });
  await idle.start('opted-out', {}, { items: [{ key: 'idle-timeout-seconds', value: '' }] });
  const day = (days: number) => new Date(idle.clock.now + days * 24 * 60 * minute).toISOString().slice(0, 10);
  await idle.start('until', { labels: { 'gazeline-protect-until': day(2) } });
  // Not protected: a name alone says nothing, and this protection has ended.
  await idle.start('gke-report');
  await idle.start('past', { labels: { 'gazeline-protect-until': day(-3) } });
  await sweepTwice();
  expect((await stops()).map((one) => one.split('/')[1]).sort()).toEqual(['gke-report', 'past']);
  const reasons = ['labelled', 'until', 'node', 'kube', 'grouped', 'batch', 'dataflow', 'opted-out'].map(
    async (name) => (await idle.recordOf(name)).why,
  );
  expect(await Promise.all(reasons)).toEqual([
    'it is labelled gazeline-protect',
    `it is protected until ${day(2)}`,
    'it belongs to a cluster of Kubernetes Engine',
    'it is a node of Kubernetes',
    'it belongs to the group g',
    'it belongs to a job of Batch',
    'it belongs to a job of Dataflow',
    'its owner has switched the idle timer of Workbench off',
  ]);
});

test('20. every status: while a machine is STOPPING, a second run makes no second call', async () => {
  await idle.start('a', {}, { script: "trap 'sleep 2; exit' TERM; touch ready; sleep 100 & wait" });
  await idle.sweep();
  await idle.pass(16);
  const first = idle.sweep();
  await until(async () => ((await idle.statusOf('a')) === 'STOPPING' ? true : undefined));
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({
    do: 'keep',
    reason: 'not-running',
    why: 'it is STOPPING',
  });
  await first;
  await idle.sweep();
  expect(await stops()).toHaveLength(1);
  expect(await idle.statusOf('a')).toBe('TERMINATED');
});

test('20. every status: of two sweeps at the same moment, one stops the machine', async () => {
  await idle.start('a');
  await Promise.all([idle.sweep(), idle.sweep()]);
  await idle.pass(16);
  const { vms } = idle.dependencies();
  // Slow enough for all of them to see that it still runs.
  const look: typeof vms.look = async (machine) => {
    const seen = await vms.look(machine);
    await new Promise((resolve) => setTimeout(resolve, 500));
    return seen;
  };
  const sweep = () => idle.sweep({ vms: { ...vms, look } });
  await Promise.all([sweep(), sweep(), sweep()]);
  expect(await stops()).toHaveLength(1);
  expect(await idle.statusOf('a')).toBe('TERMINATED');
});

test('19. protection: a label that comes in the last second still protects', async () => {
  await idle.start('a');
  await idle.sweep();
  await idle.pass(16);
  const { vms } = idle.dependencies();
  const hear: typeof vms.hear = async (machine) => {
    await vms.label(machine, 'gazeline-protect', 'yes');
    return vms.hear(machine);
  };
  await idle.sweep({ vms: { ...vms, hear } });
  expect(await stops()).toEqual([]);
  expect(await idle.statusOf('a')).toBe('RUNNING');
});

test('20. every status: what somebody was stopping when they died is stopped by somebody else, later', async () => {
  await idle.start('a');
  await idle.sweep();
  await idle.pass(16);
  const { id } = await idle.recordOf('a');
  const busyUntil = new Date(idle.clock.now + 10 * minute).toISOString();
  await idle.records.update(
    idleRecordName(id),
    IdleRecord,
    (current): IdleRecord | undefined => current && { ...current, busyUntil },
  );
  await idle.pass(5);
  await idle.sweep();
  expect(await stops()).toEqual([]);
  await idle.pass(6);
  await idle.sweep();
  expect(await stops()).toHaveLength(1);
  expect((await idle.recordOf('a')).busyUntil).toBeUndefined();
});

test('21. partial view: a zone that does not answer is said so, and the rest is handled', async () => {
  const far = 'us-central1-a';
  await idle.start('near');
  await idle.start('far', {}, { at: far });
  await setCompute(cloud, { ...usual, unreachableZones: [far] });
  await sweepTwice();
  expect(await idle.statusOf('near')).toBe('TERMINATED');
  expect((await stops()).map((one) => one.split('/')[1])).toEqual(['near']);
  expect(idle.log.entries).toContainEqual(expect.objectContaining({ severity: 'WARNING', unseen: [far] }));
  expect(idle.log.entries).toContainEqual(
    expect.objectContaining({
      message: 'idle machines',
      complete: false,
      results: expect.arrayContaining([
        { what: far, outcome: 'failed', words: 'it did not answer: what runs there is not known' },
      ]),
    }),
  );
});

test('21. partial view: a 403 on the second page leaves what was seen, and nothing is called complete', async () => {
  await idle.start('a', {}, { at: 'europe-west4-a' });
  await idle.start('b', {}, { at: 'us-central1-a' });
  const { listInstances } = idle.given;
  const vms = idleVms(cloud.project, {
    ...idle.given,
    listInstances: async (request) => {
      const fault = { service: 'compute', kind: 'permissionDenied', path: 'aggregated/instances' };
      await (request.pageToken ? setFaults(cloud, fault) : setFaults(cloud));
      return listInstances({ ...request, maxResults: 1 });
    },
  });
  const looks = [];
  for (const minutes of [0, 16]) {
    await idle.pass(minutes);
    looks.push(await sweepIdle(async () => true, { ...idle.dependencies(), vms }));
  }
  expect(looks.map(({ complete, unseen, machines }) => [complete, unseen, machines.length])).toEqual([
    [false, ['everywhere'], 1],
    [false, ['everywhere'], 1],
  ]);
  expect(await stops()).toHaveLength(1);
});

test('21. partial view: one machine’s failure does not stop the rest', async () => {
  for (const name of ['a', 'b', 'c']) await idle.start(name);
  await setFaults(cloud, {
    service: 'compute',
    kind: 'permissionDenied',
    path: 'instances/b/(stop|setLabels)',
  });
  await sweepTwice();
  expect(await Promise.all(['a', 'b', 'c'].map((name) => idle.statusOf(name)))).toEqual([
    'TERMINATED',
    'RUNNING',
    'TERMINATED',
  ]);
  expect(await idle.recordOf('b')).toMatchObject({
    outcome: { what: 'failed', words: expect.stringContaining('compute.instances.stop') },
  });
});

test('22. orphans: what was stopped long ago is deleted by a second timer only, if the lab asks for it', async () => {
  await idle.start('ours');
  await idle.start('theirs');
  await idle.compute.stop(zone, 'theirs', { discardLocalSsd: false });
  await idle.sweep();
  // The local cloud stops machines by the real clock.
  await idle.pass(16);
  const now = Date.now();
  await idle.sweep();
  expect(await idle.statusOf('ours')).toBe('TERMINATED');
  const { recordOf, records } = idle;
  const record = await recordOf('ours');
  await records.update(idleRecordName(record.id), IdleRecord, (current) =>
    current?.outcome
      ? { ...current, outcome: { ...current.outcome, at: new Date(now).toISOString() } }
      : current,
  );
  await idle.pass(60 * 24 * 8);
  await idle.sweep();
  expect(await idle.statusOf('ours')).toBe('TERMINATED');
  const policy = { ...idle.dependencies().policy, deleteAfter: 7 * 24 * 60 * minute };
  await idle.sweep({ policy, isRehearsal: true });
  expect(await idle.statusOf('ours')).toBe('TERMINATED');
  await idle.sweep({ policy });
  expect(await idle.statusOf('ours')).toBeUndefined();
  expect(await idle.statusOf('theirs')).toBe('TERMINATED');
  expect((await idle.recordOf('ours')).outcome).toMatchObject({ what: 'deleted' });
});

test('a Workbench instance is stopped by Workbench, and a machine that only says it is one, by Compute Engine', async () => {
  await create(cloud, 'notebook');
  await idle.load('notebook', 0.02);
  await idle.start('forged', {
    labels: { 'notebooks-product': 'workbench-instances', 'resource-name': 'nobody' },
  });
  await forgetRequests(cloud);
  await sweepTwice();
  const { data } = await clientOf(cloud).instances.get({ name: `${parentOf(cloud)}/instances/notebook` });
  expect(data.state).toBe('STOPPED');
  expect(await idle.statusOf('forged')).toBe('TERMINATED');
  expect((await stops()).sort()).toEqual([
    'instances/forged/stop?discardLocalSsd=false',
    'instances/nobody:stop',
    'instances/notebook:stop',
  ]);
  await clientOf(cloud).instances.delete({ name: `${parentOf(cloud)}/instances/notebook` });
});

test('at the guard’s level stop-idle, idle machines are stopped sooner, and the sweep keeps to that', async () => {
  await idle.start('a');
  await idle.start('b');
  const guard = await openGuard(cloud);
  guard.clock.now = idle.clock.now;
  const stopIdle: GuardActions['stopIdle'] = (isWanted) => {
    const given = idle.dependencies();
    return sweepIdle(isWanted, { ...given, policy: urgent(given.policy) });
  };
  const actions = { ...guard.dependencies().actions, stopIdle };
  await guard.estimate(105, { actions, amount: 100 });
  const resultsOf = async () => (await guard.guard()).steps.at(-1);
  const counting = { outcome: 'left', words: expect.stringMatching(/^it is idle, and is stopped at /) };
  expect(await resultsOf()).toMatchObject({
    level: 'stop-idle',
    complete: false,
    results: expect.arrayContaining([
      { what: `${zone}/a`, ...counting },
      { what: `${zone}/b`, ...counting },
    ]),
  });
  // It was in use half an hour ago: by the usual policy it is busy, and the countdown would be taken back.
  const metric = 'compute.googleapis.com/instance/cpu/utilization';
  const points = [[idle.clock.now - 35 * minute, 0.9]];
  await setSeries(cloud, { metric, instance: { zone, name: 'a' }, points });
  await idle.pass(6);
  guard.clock.now = idle.clock.now;
  await guard.estimate(106, { actions, amount: 100 });
  expect(await resultsOf()).toMatchObject({
    complete: true,
    results: expect.arrayContaining([
      { what: `${zone}/a`, outcome: 'stopped' },
      { what: `${zone}/b`, outcome: 'stopped' },
    ]),
  });
  await idle.start('c');
  await setSeries(cloud, { metric, instance: { zone, name: 'c' }, points });
  await idle.sweep();
  expect(await idle.recordOf('c')).toMatchObject({ do: 'warn', why: expect.stringContaining('for 20 min') });
});

test('what became of a machine is known for a month after it has gone, and longer where a zone does not answer', async () => {
  await idle.start('a');
  await idle.start('b');
  await idle.sweep();
  await idle.compute.remove(zone, 'a');
  const night = async (days: number) => {
    const at = new Date(idle.clock.now + days * 24 * 60 * minute);
    at.setUTCHours(28, 2);
    idle.clock.now = at.getTime();
    await idle.setTime();
    await idle.sweep();
    return (await Array.fromAsync(idle.records.list('machines/idle/'))).length;
  };
  expect(await night(20)).toBe(2);
  await setCompute(cloud, { ...usual, unreachableZones: ['us-central1-a'] });
  expect(await night(20)).toBe(2);
  await setCompute(cloud, usual);
  expect(await night(1)).toBe(1);
});

test('17. never stop on missing evidence: of a TPU made by hand people are told each day, and it is never stopped', async () => {
  await setTpu(cloud, quickTpu);
  const google = (await clients.tpu()).projects.locations;
  const make = async (name: string, labels: object = {}) => {
    await google.nodes.create({
      parent: at(cloud),
      nodeId: name,
      requestBody: node('sleep 100', { labels }),
    });
    await untilNode(cloud, google, name, 'READY');
  };
  await make('forgotten');
  await make('protected', { 'gazeline-protect': 'yes' });
  await make('gazeline-fit-0a1b2c3d-1', { 'gazeline-lab': 'gazeline', 'gazeline-job': 'fit-0a1b2c3d' });
  idle.clock.now = Date.now() + 6 * 60 * minute;
  await idle.sweep();
  expect(await idle.notices()).toEqual([]);
  await idle.pass(7 * 60);
  await idle.sweep();
  await idle.sweep();
  expect(await idle.notices()).toEqual([
    expect.objectContaining({
      kind: 'tpu-unwatched',
      words: expect.stringMatching(
        /us-west4-a\/forgotten \(v5litepod-\d+, up for 13 hours, \$[\d.]+ an hour, \$.* so far\)/,
      ),
    }),
  ]);
  await idle.pass(25 * 60);
  await idle.sweep();
  expect(await idle.notices()).toHaveLength(1);
  const calls = (await requestsAt(cloud, 'tpu')).filter(
    ({ method, url }) => method !== 'GET' && !/nodes\?|_local/.test(url),
  );
  expect(calls).toEqual([]);
  for (const name of ['forgotten', 'protected', 'gazeline-fit-0a1b2c3d-1'])
    await google.nodes.delete(nodeAt(cloud, name));
});

test('when people cannot be told, no countdown begins', async () => {
  await idle.start('a');
  await setFaults(cloud, { service: 'pubsub', kind: 'status', status: 403 });
  await expect(idle.sweep()).rejects.toThrow();
  await setFaults(cloud);
  await idle.pass(16);
  await idle.sweep();
  expect(await idle.recordOf('a')).toMatchObject({ do: 'warn' });
  expect(await idle.statusOf('a')).toBe('RUNNING');
});

test('the function itself: a project in which nothing runs is looked at, and Monitoring is not asked', async () => {
  const message = { messageId: 'm', data: '', attributes: {} };
  const body = Buffer.from(JSON.stringify({ message, subscription: 's' }));
  const request = { method: 'POST', path: '/', headers: {}, body };
  const caller = { name: 'idle-sweep', logOf: () => idle.log };
  expect(await functions['idle-sweep'].handle(request, caller)).toEqual({ status: 204 });
  expect(idle.log.entries).toEqual([]);
  expect(await requestsAt(cloud, 'compute')).toHaveLength(1);
  expect(await requestsAt(cloud, 'monitoring')).toEqual([]);
});

// It cannot be taken away again, so it is the last.
test('19. protection: a machine that is protected against deletion is not stopped either', async () => {
  await idle.start('guarded', { deletionProtection: true });
  await sweepTwice();
  expect(await idle.changes()).toEqual([]);
  expect((await idle.recordOf('guarded')).why).toBe('it is protected against deletion');
});
