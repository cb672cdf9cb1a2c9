import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { GuardRecord, guardRecordName } from '../../shared/budget/guardRecord.ts';
import type { Instances } from '../../shared/sessions/instances.ts';
import { quick, setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setNotebooks } from '../deploy/local/cloud/notebooks/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openSessions, type Sessions, soldOut } from './sessionKit.ts';

const cloud = useLocalCloud();
let sessions: Sessions;
beforeAll(async () => {
  sessions = await openSessions(cloud);
});
afterEach(() => sessions.clear());

const l4 = { accelerators: 'L4', regions: ['europe-west4'] };
/** The process dies at this call, before or after it has had its effect. */
const dying = (verb: keyof Instances, when: 'before' | 'after'): Instances => ({
  ...sessions.instances,
  [verb]: async (...given: never[]) => {
    if (when === 'after')
      await (sessions.instances[verb] as (...given: never[]) => Promise<unknown>)(...given);
    throw new Error('killed');
  },
});

test('a session is an instance of its owner, and what left says so in Workbench’s words', async () => {
  const record = await sessions.place('pupils', {
    accelerators: 'T4',
    machine: 'n1-standard-4',
    disk: 200,
    idleMinutes: 90,
    hours: 5,
    repository: 'https://github.com/lab/analysis',
    ref: 'v2',
    data: ['raw/recordings/', 'derived/annotations/'],
    regions: ['europe-west4'],
  });
  const [create, ...others] = await sessions.creates();
  expect(others).toEqual([]);
  expect(create).toEqual({
    zone: record.candidate?.zone,
    id: 'session-pupils',
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    body: {
      labels: {
        'gazeline-session': 'pupils',
        'gazeline-session-id': expect.any(String),
        'gazeline-lab': 'eye-lab',
        'gazeline-owner': 'ada-lab-org',
      },
      instanceOwners: ['ada@lab.org'],
      gceSetup: {
        machineType: 'n1-standard-4',
        acceleratorConfigs: [{ type: 'NVIDIA_TESLA_T4', coreCount: '1' }],
        gpuDriverConfig: { enableGpuDriver: true },
        vmImage: { project: 'cloud-notebooks-managed', family: 'workbench-instances' },
        bootDisk: { diskSizeGb: '150', diskType: 'PD_BALANCED' },
        dataDisks: [{ diskSizeGb: '200', diskType: 'PD_BALANCED' }],
        serviceAccounts: [{ email: 'machine@example.iam.gserviceaccount.com' }],
        networkInterfaces: [{ network: `projects/${cloud.project}/global/networks/default` }],
        metadata: {
          'idle-timeout-seconds': '5400',
          'post-startup-script': 'gs://derived/sessions/start.sh',
          'post-startup-script-behavior': 'download_and_run_every_start',
          'gazeline-storage': cloud.origin,
          'gazeline-repository': 'https://github.com/lab/analysis',
          'gazeline-ref': 'v2',
          'gazeline-inputs': 'raw\trecordings/\traw/recordings\nderived\tannotations/\tderived/annotations',
        },
      },
    },
  });
  expect(record).toMatchObject({
    state: 'running',
    owner: 'ada@lab.org',
    candidate: { machineType: 'n1-standard-4', accelerator: 'T4', model: 'standard' },
    link: expect.stringContaining('/session-pupils'),
  });
  expect(Date.parse(record.endsAt ?? '') - Date.parse(record.startedAt ?? '')).toBe(5 * 3_600_000);
  expect((await sessions.compute.look(record.candidate?.zone ?? '', 'session-pupils'))?.labels).toMatchObject(
    {
      'gazeline-session': 'pupils',
      'gazeline-owner': 'ada-lab-org',
    },
  );
});

test('where the first zone is sold out, the next one is asked, and other sessions and jobs know it', async () => {
  const [first = ''] = (await sessions.place('first', l4)).candidate?.zone
    ? [(await sessions.read('first')).candidate?.zone]
    : [];
  await sessions.clear();
  await setFaults(cloud, ...soldOut(first ?? ''));
  const record = await sessions.place('pupils', l4);
  expect((await sessions.creates()).map(({ zone }) => zone)).toEqual([first, record.candidate?.zone]);
  expect(record.candidate?.zone).not.toBe(first);
  expect(record.tries).toMatchObject([{ zone: first, kind: 'stock-out', scope: 'zone' }]);
  expect(Object.keys(await sessions.cooldown())).toEqual([expect.stringContaining(first ?? '')]);
  expect(await sessions.stateOf(first ?? '', 'pupils')).toBeUndefined();

  await sessions.place('other', l4);
  expect((await sessions.creates()).slice(2).map(({ zone }) => zone)).not.toContain(first);
});

test('where all zones are sold out, it fails and says when to come again; asked anew it is another request', async () => {
  await setFaults(cloud, { service: 'compute', kind: 'stockOut' });
  await sessions.ask('pupils', l4);
  await sessions.deliver();
  const record = await sessions.read('pupils');
  expect(record).toMatchObject({ state: 'failed' });
  expect(record.reason).toMatch(
    /^no machine in any of \d zones now; asked \d times\. .*It is sold out.*again from 20/s,
  );
  await setFaults(cloud);
  sessions.clock.ahead += 6 * 60_000;
  await sessions.place('pupils', l4);
  const ids = (await sessions.creates()).map(({ requestId }) => requestId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a quota of a region that is used up rules out all of its zones', async () => {
  await setCompute(cloud, {
    ...quick,
    quotas: [{ metric: 'NVIDIA_L4_GPUS', region: 'europe-west4', limit: 0 }],
  });
  const record = await sessions.place('pupils', { accelerators: 'L4' });
  expect((await sessions.creates()).map(({ zone }) => zone.slice(0, -2))).toEqual(
    record.candidate?.region === 'us-central1' && record.tries.length === 1
      ? ['europe-west4', 'us-central1']
      : ['us-central1'],
  );
});

test.each(['before', 'after'] as const)(
  'who dies %s the request reaches Workbench is followed by one who asks for the very same',
  async (when) => {
    await sessions.ask('pupils', l4);
    await expect(sessions.deliver({ instances: dying('create', when) })).rejects.toThrow('killed');
    const { asked } = await sessions.read('pupils');
    expect(asked).toMatchObject({ requestId: expect.any(String) });
    expect(asked?.acceptedAt).toBeUndefined();
    await sessions.sweep();
    await sessions.deliver();
    expect(await sessions.read('pupils')).toMatchObject({ state: 'running', round: 0 });
    const ids = (await sessions.creates()).map(({ requestId }) => requestId);
    expect(ids).toEqual(Array(when === 'after' ? 2 : 1).fill(asked?.requestId));
    expect((await sessions.compute.listAll()).machines).toHaveLength(1);
  },
);

test('who dies while Workbench is at it is followed by the sweep, whose look is enough', async () => {
  await setCompute(cloud, { ...quick, delays: { provisioning: 300, staging: 0 } });
  await sessions.ask('pupils', l4);
  await sessions.deliver({ deadline: 0 });
  expect((await sessions.read('pupils')).state).toBe('placing');
  await sessions.deliver({ deadline: 0 });
  await sessions.deliver({ deadline: 0 });
  await sessions.sweep();
  await sessions.deliver();
  expect((await sessions.read('pupils')).state).toBe('running');
  expect(await sessions.creates()).toHaveLength(1);
});

test('two who look after the same session at the same moment make one instance', async () => {
  await sessions.ask('pupils', l4);
  await Promise.all([sessions.start('pupils'), sessions.start('pupils'), sessions.start('pupils')]);
  expect((await sessions.read('pupils')).state).toBe('running');
  expect((await sessions.compute.listAll()).machines).toHaveLength(1);
  expect(new Set((await sessions.creates()).map(({ requestId }) => requestId)).size).toBe(1);
});

test('an instance that somebody has made by hand under this name is left alone, and another zone is taken', async () => {
  const zone = (await sessions.place('pupils', l4)).candidate?.zone ?? '';
  await sessions.clear();
  await sessions.instances.create(zone, 'session-pupils', {}, crypto.randomUUID());
  while ((await sessions.stateOf(zone, 'pupils')) !== 'ACTIVE')
    await new Promise((done) => setTimeout(done, 20));
  const record = await sessions.place('pupils', l4);
  expect(record.candidate?.zone).not.toBe(zone);
  expect(record.tries).toMatchObject([{ zone, kind: 'exists' }]);
  expect(await sessions.stateOf(zone, 'pupils')).toBe('ACTIVE');
});

test('a zone that is closed to the project is not looked at, and another one is taken', async () => {
  const zone = (await sessions.place('pupils', l4)).candidate?.zone ?? '';
  await sessions.clear();
  await setCompute(cloud, { ...quick, closedZones: [zone] });
  const record = await sessions.place('pupils', l4);
  expect(record.tries).toMatchObject([{ zone, kind: 'zone-closed' }]);
});

test('what Workbench does not accept at all ends the search', async () => {
  await setFaults(cloud, { service: 'notebooks', kind: 'permissionDenied' });
  await sessions.ask('pupils', l4);
  await sessions.deliver();
  expect(await sessions.read('pupils')).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('lacks the permission notebooks.instances.create'),
  });
  expect(await sessions.creates()).toHaveLength(1);
});

test('when the budget guard lets no new work begin, nothing is asked for', async () => {
  const guard: GuardRecord = {
    period: { start: '2026-01-01T00:00:00Z', end: '2999-01-01T00:00:00Z' },
    level: 'no-new-work',
    reason: '95 % of the budget',
    since: '2026-01-01T00:00:00Z',
    budgets: {},
    ratio: 0.95,
    steps: [],
    history: [],
  };
  await sessions.records.write(guardRecordName, GuardRecord.parse(guard), '0');
  await sessions.ask('pupils', l4);
  await sessions.deliver();
  expect(await sessions.read('pupils')).toMatchObject({
    state: 'refused',
    reason: expect.stringMatching(/guard is at no-new-work \(95 % of the budget\)/),
  });
  expect(await sessions.creates()).toEqual([]);
});

test('an unreachable zone says nothing: the request is kept and sent again', async () => {
  const zone = (await sessions.place('pupils', l4)).candidate?.zone ?? '';
  await sessions.clear();
  await sessions.ask('pupils', l4);
  await setNotebooks(cloud, { unreachableZones: [zone] });
  await expect(sessions.deliver()).rejects.toThrow('unavailable');
  expect(await sessions.read('pupils')).toMatchObject({ state: 'placing', asked: { candidate: { zone } } });
  await setNotebooks(cloud, {});
  await sessions.sweep();
  await sessions.deliver();
  expect(await sessions.read('pupils')).toMatchObject({ state: 'running', candidate: { zone } });
});
