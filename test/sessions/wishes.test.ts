import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { GuardRecord, guardRecordName } from '../../shared/budget/guardRecord.ts';
import { IdleRecord, idleRecordName } from '../../shared/machines/idle/idleRecord.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import type { Instances } from '../../shared/sessions/instances.ts';
import { SessionConflict } from '../../shared/sessions/requestSession.ts';
import { readWish } from '../../shared/sessions/session.ts';
import { activeSessions } from '../../shared/sessions/sessionRecord.ts';
import { summaryOf } from '../../shared/sessions/summary.ts';
import { clientOf, parentOf } from '../deploy/local/cloud/notebooks/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { hour, minute, openSessions, type Sessions, soldOut } from './sessionKit.ts';

const cloud = useLocalCloud();
let sessions: Sessions;
beforeAll(async () => {
  sessions = await openSessions(cloud);
});
afterEach(() => sessions.clear());

const small = { regions: ['europe-west4'], disk: 50 };
const zoneOf = async (name: string) => (await sessions.read(name)).candidate?.zone ?? '';
const markers = async () => {
  const found: string[] = [];
  for await (const name of sessions.records.list(activeSessions)) found.push(name);
  return found;
};
/** Through Workbench, as somebody does who has the console open. */
const byHand = async (name: string, verb: 'start' | 'stop' | 'delete') => {
  const zone = await zoneOf(name);
  const { instances } = clientOf(cloud);
  const instance = { name: `${parentOf(cloud, zone)}/instances/session-${name}` };
  if (verb === 'start') await instances.start(instance);
  if (verb === 'stop') await instances.stop(instance);
  if (verb === 'delete') await instances.delete(instance);
  const after = { start: 'ACTIVE', stop: 'STOPPED', delete: undefined }[verb];
  while ((await sessions.stateOf(zone, name)) !== after) await new Promise((done) => setTimeout(done, 20));
};

test('a stop keeps both disks, says what they cost, and a resume starts the same instance with its hours anew', async () => {
  await sessions.place('pupils', { ...small, hours: 4 });
  const zone = await zoneOf('pupils');
  const disks = await sessions.disks();
  expect(disks).toEqual([`${zone}/session-pupils 150`, `${zone}/session-pupils-data 50`]);

  await sessions.stop('pupils');
  await sessions.deliver();
  const stopped = await sessions.read('pupils');
  expect(stopped).toMatchObject({ state: 'stopped', wish: 'stopped' });
  expect(await sessions.stateOf(zone, 'pupils')).toBe('STOPPED');
  expect(await sessions.disks()).toEqual(disks);
  const { cost, link, diskGb } = summaryOf(stopped, priceTable());
  expect({ link, diskGb }).toEqual({ link: undefined, diskGb: 200 });
  // 200 GB of pd-balanced in europe-west4.
  expect(cost.perMonthStopped).toBeCloseTo(200 * 0.11, 1);
  expect(cost.perHour).toBeGreaterThan((cost.perMonthStopped ?? 0) / 730);

  sessions.clock.ahead += hour;
  await sessions.resume('pupils');
  await sessions.deliver();
  const resumed = await sessions.read('pupils');
  expect(resumed).toMatchObject({ state: 'running', wish: 'running' });
  expect(Date.parse(resumed.endsAt ?? '') - sessions.now()).toBeGreaterThan(3.9 * hour);
  expect(await sessions.stateOf(zone, 'pupils')).toBe('ACTIVE');
  expect(await sessions.creates()).toHaveLength(1);
});

test('a delete takes the disks as well, and the name is free again', async () => {
  await sessions.place('pupils', small);
  const zone = await zoneOf('pupils');
  await sessions.remove('pupils');
  await sessions.deliver();
  expect((await sessions.read('pupils')).state).toBe('deleted');
  expect(await sessions.stateOf(zone, 'pupils')).toBeUndefined();
  expect(await sessions.disks()).toEqual([]);
  sessions.clock.ahead += 2 * minute;
  await sessions.sweep();
  expect(await markers()).toEqual([]);
  await expect(sessions.resume('pupils')).rejects.toThrow(SessionConflict);
  await sessions.place('pupils', small, 'bob@lab.org');
  expect((await sessions.read('pupils')).owner).toBe('bob@lab.org');
});

test('a resume in a zone that is sold out leaves it stopped, with the reason: its disks are there', async () => {
  await sessions.place('pupils', small);
  await sessions.stop('pupils');
  await sessions.deliver();
  await setFaults(cloud, ...soldOut(await zoneOf('pupils')));
  await sessions.resume('pupils');
  await sessions.deliver();
  expect(await sessions.read('pupils')).toMatchObject({
    state: 'stopped',
    wish: 'stopped',
    reason: expect.stringMatching(/^it could not be started: It is sold out in this zone/),
  });
  await setFaults(cloud);
  await sessions.resume('pupils');
  await sessions.deliver();
  expect((await sessions.read('pupils')).state).toBe('running');
});

test('it is stopped when its hours are over', async () => {
  await sessions.place('pupils', { ...small, hours: 2 });
  sessions.clock.ahead += 119 * minute;
  await sessions.sweep();
  expect(await sessions.asked('instances.stop')).toBe(0);
  sessions.clock.ahead += 2 * minute;
  await sessions.sweep();
  await sessions.deliver();
  expect(await sessions.read('pupils')).toMatchObject({
    state: 'stopped',
    reason: 'its 2 hours were over',
  });
  // And stays so.
  await sessions.sweep();
  await sessions.deliver();
  expect(await sessions.stateOf(await zoneOf('pupils'), 'pupils')).toBe('STOPPED');
  expect(await sessions.asked('instances.stop')).toBe(1);
});

test('it may be prolonged, and then ends later; one that does not run may not be', async () => {
  await sessions.place('pupils', { ...small, hours: 2 });
  const before = await sessions.read('pupils');
  sessions.clock.ahead += 100 * minute;
  const after = await sessions.prolong('pupils', 1.5);
  expect(Date.parse(after?.endsAt ?? '') - Date.parse(before.endsAt ?? '')).toBe(1.5 * hour);
  expect(after).toMatchObject({ state: 'running', reason: before.reason });
  expect(after?.history.at(-1)).toMatchObject({
    state: 'running',
    reason: `ada@lab.org prolonged it by 1.5 hours, until ${after?.endsAt}`,
  });
  sessions.clock.ahead += 100 * minute;
  await sessions.sweep();
  expect(await sessions.asked('instances.stop')).toBe(0);
  await expect(sessions.prolong('pupils', 168)).rejects.toThrow(
    /to a week from now at the most: by 167\.\d hours more$/,
  );
  sessions.clock.ahead += 11 * minute;
  await sessions.sweep();
  await sessions.deliver();
  expect(await sessions.read('pupils')).toMatchObject({
    state: 'stopped',
    reason: 'its 3.5 hours were over',
  });
  await expect(sessions.prolong('pupils', 1)).rejects.toThrow(
    'pupils does not run (stopped), so there is nothing to prolong; resumed, it has 2 hours again',
  );
  expect(await sessions.prolong('nobody', 1)).toBeUndefined();
});

test('it is prolonged within the limits of its owner, and not when the guard lets no new work begin', async () => {
  const perHour = (await sessions.place('pupils', { ...small, hours: 2 })).candidate?.price?.perHour ?? 0;
  const limits = { mostPerPerson: perHour * 6, periodKind: 'month' as const };
  const before = await sessions.read('pupils');
  await expect(sessions.prolong('pupils', 8, { limits })).rejects.toThrow(
    /^pupils is not prolonged: ada@lab\.org has spent \$0\.00\d* in this period; .* is the most for one person before /,
  );
  expect(await sessions.read('pupils')).toEqual(before);
  await sessions.prolong('pupils', 3, { limits });
  // What it may cost now is held: another one has no room beside it.
  await sessions.ask('other', { ...small, hours: 2 });
  await sessions.deliver({ limits });
  expect((await sessions.read('other')).reason).toMatch(
    /^ada@lab\.org has spent .* is the most for one person/,
  );

  const guard: GuardRecord = {
    period: { start: '2026-01-01T00:00:00Z', end: '2999-01-01T00:00:00Z' },
    ...{ level: 'no-new-work', reason: 'a test', since: '2026-01-01T00:00:00Z' },
    ...{ budgets: {}, ratio: 0.95, steps: [], history: [] },
  };
  await sessions.records.write(guardRecordName, GuardRecord.parse(guard), '0');
  await expect(sessions.prolong('pupils', 0.5)).rejects.toThrow(
    /^pupils is not prolonged: the budget guard is at no-new-work \(a test\)/,
  );
});

test('a sweep that finds its hours over just when it is prolonged does not stop it', async () => {
  await sessions.place('pupils', { ...small, hours: 2 });
  sessions.clock.ahead += 121 * minute;
  const { instances } = sessions.given();
  await sessions.sweep({
    instances: {
      ...instances,
      look: async (zone, id) => {
        const seen = await instances.look(zone, id);
        await sessions.prolong('pupils', 1);
        return seen;
      },
    },
  });
  await sessions.deliver();
  expect(await sessions.read('pupils')).toMatchObject({ state: 'running', wish: 'running' });
  expect(await sessions.asked('instances.stop')).toBe(0);
});

test('what others do with it is written down, and not undone', async () => {
  await sessions.place('pupils', small);
  await byHand('pupils', 'stop');
  await sessions.sweep();
  expect(await sessions.read('pupils')).toMatchObject({
    state: 'stopped',
    reason: expect.stringMatching(
      /^it was stopped by Workbench, after 60 minutes without use, or by somebody/,
    ),
  });
  await byHand('pupils', 'start');
  await sessions.sweep();
  expect(await sessions.read('pupils')).toMatchObject({
    state: 'running',
    reason: 'it was started by somebody else',
  });
  expect(await sessions.queue).toEqual([]);

  const { instanceId = '', candidate } = await sessions.read('pupils');
  const idle: IdleRecord = {
    ...{ id: instanceId, zone: candidate?.zone ?? '', name: 'session-pupils', do: 'stop', reason: 'idle' },
    ...{ why: 'nothing has happened for 60 min', decidedAt: '2026-01-01T00:00:00Z', isRehearsal: false },
    evidence: {
      isZoneThere: true,
      cpu: { kind: 'none' },
      gpu: { kind: 'none' },
      network: { kind: 'none' },
      heartbeat: { kind: 'none' },
    },
    outcome: { at: new Date(sessions.now() + 1000).toISOString(), what: 'stopped' },
    history: [],
  };
  await sessions.records.write(idleRecordName(instanceId), IdleRecord.parse(idle), '0');
  await byHand('pupils', 'stop');
  await sessions.sweep();
  expect((await sessions.read('pupils')).reason).toBe('nobody used it, and the idle sweep has stopped it');
});

test('one answer that there is no instance is not believed, ten minutes of them are', async () => {
  await sessions.place('pupils', small);
  const nothing: Instances = { ...sessions.instances, look: async () => undefined };
  await sessions.sweep({ instances: nothing });
  expect(await sessions.read('pupils')).toMatchObject({ state: 'running', missingSince: expect.any(String) });
  await sessions.sweep();
  expect((await sessions.read('pupils')).missingSince).toBeUndefined();

  await byHand('pupils', 'delete');
  await sessions.sweep();
  expect((await sessions.read('pupils')).state).toBe('running');
  sessions.clock.ahead += 11 * minute;
  await sessions.sweep();
  expect(await sessions.read('pupils')).toMatchObject({
    state: 'deleted',
    reason: 'its machine was deleted by somebody else',
  });
});

test('one whose machine was deleted behind Workbench’s back is over, and leaves nothing', async () => {
  await sessions.place('pupils', small);
  const zone = await zoneOf('pupils');
  await sessions.compute.remove(zone, 'session-pupils');
  expect(await sessions.stateOf(zone, 'pupils')).toBe('DELETED');
  await sessions.sweep();
  expect((await sessions.read('pupils')).state).toBe('deleted');
  expect(await sessions.stateOf(zone, 'pupils')).toBeUndefined();
});

test('a stop or a delete that comes while it is being placed ends it as soon as that is known', async () => {
  await sessions.ask('stopped', small);
  await sessions.stop('stopped');
  await sessions.ask('deleted', small);
  await sessions.deliver({ deadline: 0 });
  await sessions.ask('late', small);
  await sessions.start('late', { deadline: 0 });
  await sessions.remove('late');
  await sessions.remove('deleted');
  await sessions.deliver();
  expect((await sessions.read('stopped')).state).toBe('failed');
  expect((await sessions.read('deleted')).state).toBe('deleted');
  expect((await sessions.read('late')).state).toBe('deleted');
  expect((await sessions.compute.listAll()).machines).toEqual([]);
});

test('who dies after a stop was asked for is followed by one who finds it done', async () => {
  await sessions.place('pupils', small);
  await sessions.stop('pupils');
  const dying: Instances = {
    ...sessions.instances,
    async stop(zone, id) {
      await sessions.instances.stop(zone, id);
      throw new Error('killed');
    },
  };
  await expect(sessions.deliver({ instances: dying })).rejects.toThrow('killed');
  await sessions.sweep();
  await sessions.deliver();
  expect((await sessions.read('pupils')).state).toBe('stopped');
});

test('a name belongs to one session at a time; the same asked for twice is one', async () => {
  await sessions.place('pupils', small);
  expect((await sessions.ask('pupils', small)).state).toBe('running');
  await expect(sessions.ask('pupils', small, 'bob@lab.org')).rejects.toThrow(
    'there is a session pupils of ada@lab.org already (running); choose another name',
  );
  await expect(sessions.ask('pupils', { ...small, disk: 60 })).rejects.toThrow(SessionConflict);
  expect(await sessions.creates()).toHaveLength(1);
});

test('the limits of a person and of the hour hold, are free again after a stop, and nobody waits', async () => {
  const limits = { mostMachinesPerPerson: 1, periodKind: 'month' as const };
  await sessions.ask('one', small);
  await sessions.deliver({ limits });
  await sessions.ask('two', small);
  await sessions.deliver({ limits });
  expect(await sessions.read('two')).toMatchObject({
    state: 'refused',
    reason: 'ada@lab.org has 1 machines already, and 1 at once is the most',
  });
  await sessions.ask('other', small, 'bob@lab.org');
  await sessions.deliver({ limits });
  expect((await sessions.read('other')).state).toBe('running');
  await sessions.stop('one');
  await sessions.deliver({ limits });
  await sessions.ask('two', small);
  await sessions.deliver({ limits });
  expect((await sessions.read('two')).state).toBe('running');
  // And a resume is a start.
  await sessions.resume('one');
  await sessions.deliver({ limits });
  expect(await sessions.read('one')).toMatchObject({
    state: 'stopped',
    reason: expect.stringMatching(/^it could not be started: ada@lab.org has 1 machines already/),
  });

  await sessions.ask('dear', { ...small, accelerators: 'A100:8' });
  await sessions.deliver({ limits: { mostPerHour: 5, periodKind: 'month' } });
  expect((await sessions.read('dear')).reason).toMatch(
    /^the cheapest machine costs \$\d+\.\d\d an hour, and the lab allows \$5\.00/,
  );
  await sessions.ask('long', { ...small, hours: 100 }, 'carol@lab.org');
  await sessions.deliver({ limits: { mostPerPerson: 10, periodKind: 'month' } });
  expect((await sessions.read('long')).reason).toMatch(
    /^carol@lab.org has spent \$0\.00.*\$10\.00 is the most/,
  );
});

test.each([
  [{ name: '../../jobs/x' }, /^name: expected lower-case letters/],
  [{ name: 'Ünïcode' }, /^name: /],
  [{ name: 'a\u202eb' }, /^name: /],
  [{ name: `a${'b'.repeat(40)}` }, /^name: is too long/],
  [{ name: '-x' }, /^name: /],
  [{ accelerators: 'v5litepod-4' }, /^accelerators\.0: a session has no TPU; submit a job$/],
  [{ accelerators: 'H100:8' }, /^accelerators\.0: Workbench has no H100; expected one of T4, P4/],
  [{ accelerators: 'L4', machine: 'n1-standard-4' }, /^accelerators\.0: L4 comes with g2-standard-8 only/],
  [{ machine: 'a2-highgpu-1g' }, /comes with GPUs; say which/],
  [{ machine: 'x9-huge-1' }, /^machine: expected a machine type/],
  [{ image: 'windows' }, /^image: expected workbench, container, container-slim/],
  [{ repository: 'https://ada:secret@github.com/lab/x' }, /^repository: holds a user name or password/],
  [{ repository: 'ext::sh -c true' }, /^repository: /],
  [{ ref: '--upload-pack=x' }, /^ref: /],
  [{ data: '../secrets' }, /^data/],
  [{ data: { bucket: 'raw', prefix: 'x', folder: '../..' } }, /^data/],
  [{ idleMinutes: 5 }, /^idleMinutes: expected a whole number from 10 to 1440$/],
  [{ hours: 1000 }, /^hours: expected hours, from 0\.1 to 168/],
  [{ disc: 5 }, /there is no field “disc”; did you mean “disk”\?/],
])('%j is refused, and nothing secret is repeated', (written, message) => {
  const read = () => readWish({ name: 'pupils', ...written }, { allowFile: true });
  expect(read).toThrow(message);
  expect(read).not.toThrow(/secret@/);
});

test('a message for a session that is not there, or of a hostile name, is put aside', async () => {
  await expect(sessions.start('nobody')).rejects.toThrow('there is no session nobody');
  const { SessionRequested } = await import('../../functions/session-start.ts');
  for (const session of ['../x', 'a/b', 'A', '', randomUUID().repeat(3), 5])
    expect(SessionRequested.safeParse({ session }).success).toBe(false);
});
