import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { clientsOf, insert, machine, setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { fast, type Jobs, minute, openJobs } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());
const a = 'europe-west4-a';

/** Dependencies of which the `at`th call, counted over all, does its work and dies before anybody hears of it. */
function dying(at: number) {
  let calls = 0;
  const died = new Error('The process died');
  const dies = <T extends object>(of: T, ...names: (keyof T)[]): T =>
    new Proxy(of, {
      get(target, name, self) {
        const method = Reflect.get(target, name, self);
        if (typeof method !== 'function' || !names.includes(name as keyof T)) return method;
        return async (...args: unknown[]) => {
          if (calls >= at) throw died;
          const answer = await method.apply(target, args);
          if (++calls === at) throw died;
          return answer;
        };
      },
    });
  const service = dies(jobs.service, 'insert', 'look', 'remove');
  return {
    died,
    calls: () => calls,
    records: dies(jobs.records, 'read', 'update', 'write'),
    machines: async () => service,
  };
}

/** Again and again, as Pub/Sub does, while time passes. */
async function redeliver(id: string): Promise<void> {
  jobs.queue.push({ job: id });
  for (let minutes = 0; jobs.queue.length > 0 && minutes < 10; minutes++) {
    jobs.clock.ahead += minute;
    await jobs.deliver();
  }
}

test('3. crash between insert and state write: the machine is adopted, by its request id', async () => {
  const id = await jobs.submit();
  jobs.queue.length = 0;
  const { service } = jobs;
  const insertAndDie = async (...args: Parameters<typeof service.insert>) => {
    await service.insert(...args);
    throw new Error('The process died');
  };
  const machines = async () => ({ ...service, insert: insertAndDie });
  await expect(jobs.start(id, { machines })).rejects.toThrow('died');
  expect((await jobs.read(id)).state).toBe('placing');
  // It may only be slow: nobody else asks yet.
  jobs.queue.push({ job: id });
  expect(await jobs.deliver()).toEqual([
    expect.objectContaining({ message: expect.stringContaining('elsewhere') }),
  ]);
  await redeliver(id);
  expect((await jobs.read(id)).state).toBe('starting');
  const inserts = await jobs.inserts();
  expect(inserts).toHaveLength(2);
  expect(inserts[1]?.requestId).toBe(inserts[0]?.requestId);
  expect(inserts[1]?.body).toEqual(inserts[0]?.body);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${id}-1`]);
});

test('3. crash between insert and state write: adopted by its name, where the request id is forgotten', async () => {
  const id = await jobs.submit();
  const dependencies = dying(6);
  await expect(jobs.start(id, dependencies)).rejects.toThrow('died');
  expect(await jobs.machines()).toHaveLength(1);
  await setCompute(cloud, { ...fast, rememberRequestIds: false });
  await redeliver(id);
  expect((await jobs.inserts()).map(({ status }) => status)).toEqual([200, 409]);
  const { state, attempts } = await jobs.read(id);
  expect(state).toBe('starting');
  const [run] = (await jobs.bill()).filter(({ name }) => name === `gazeline-${id}-1`);
  expect(attempts[0]?.insertedAt).toBe(run?.startedAt);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${id}-1`]);
});

test('3. crash between insert and state write: adopted by its name, where the zone refuses by now', async () => {
  const id = await jobs.submit();
  await expect(jobs.start(id, dying(6))).rejects.toThrow('died');
  const refuses = { service: 'compute', kind: 'status', status: 503, method: 'POST', path: '/instances$' };
  await setFaults(cloud, refuses);
  await redeliver(id);
  expect((await jobs.inserts()).map(({ status }) => status)).toEqual([200, 503]);
  expect((await jobs.read(id)).state).toBe('starting');
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${id}-1`]);
});

test('crash at every step of job-start: exactly one machine, and the record knows it', async () => {
  for (let step = 1; ; step++) {
    const id = await jobs.submit();
    jobs.queue.length = 0;
    const dependencies = dying(step);
    const outcome = await jobs.start(id, dependencies).then(
      () => 'lived',
      (error) => error,
    );
    if (outcome === 'lived') {
      expect(step).toBeGreaterThan(6);
      return;
    }
    expect(outcome).toBe(dependencies.died);
    await redeliver(id);
    const { state, attempts } = await jobs.read(id);
    expect([step, state, attempts.length]).toEqual([step, 'starting', 1]);
    const theirs = (await jobs.machines()).filter((name) => name.includes(id));
    expect(theirs).toEqual([`${attempts[0]?.candidate?.zone}/gazeline-${id}-1`]);
    const { insertedAt, endsAt } = attempts[0] ?? {};
    const [run] = (await jobs.bill()).filter(({ name }) => name === `gazeline-${id}-1`);
    expect(insertedAt).toBe(run?.startedAt);
    expect(Date.parse(endsAt ?? '') - Date.parse(insertedAt ?? '')).toBe(6 * 60 * minute);
  }
});

test('crash at every step while a sold-out zone is left: no try is lost, no machine doubled', async () => {
  for (let step = 4; step <= 12; step++) {
    await jobs.clear();
    await setFaults(cloud, { service: 'compute', kind: 'stockOut', machine: { zone: a } });
    const id = await jobs.submit();
    jobs.queue.length = 0;
    await jobs.start(id, dying(step)).catch(() => {});
    await redeliver(id);
    expect([step, (await jobs.read(id)).state]).toEqual([step, 'starting']);
    expect(await jobs.machines()).toEqual([`europe-west4-b/gazeline-${id}-1`]);
  }
});

test('the answer to an insert is lost: it is asked for again with the same request id, and there is one machine', async () => {
  await setFaults(cloud, {
    service: 'compute',
    kind: 'lostAnswer',
    method: 'POST',
    path: '/instances$',
    times: 2,
  });
  const id = await jobs.place();
  const inserts = await jobs.inserts();
  expect(inserts).toHaveLength(3);
  expect(new Set(inserts.map(({ requestId }) => requestId)).size).toBe(1);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${id}-1`]);
});

test('a zone whose answers are errors without end is left for the next one', async () => {
  const failing = {
    service: 'compute',
    kind: 'status',
    status: 502,
    method: 'POST',
    path: `${a}/instances$`,
  };
  await setFaults(cloud, failing);
  const id = await jobs.place();
  expect(await jobs.machines()).toEqual([`europe-west4-b/gazeline-${id}-1`]);
  // The next job does not wait for it again.
  const before = (await jobs.inserts()).length;
  await jobs.place();
  expect((await jobs.inserts()).length).toBe(before + 1);
});

test('a zone that does not answer is left for the next one', async () => {
  await setCompute(cloud, { ...fast, unreachableZones: [a] });
  const id = await jobs.place();
  expect(await jobs.machines()).toEqual([`europe-west4-b/gazeline-${id}-1`]);
});

test('the answer about the operation fails: the machine is there all the same', async () => {
  await setFaults(cloud, { service: 'compute', kind: 'status', status: 503, path: '/wait$', times: 3 });
  const id = await jobs.place();
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${id}-1`]);
  expect((await jobs.inserts()).length).toBe(1);
});

test('an answer that takes too long is no refusal: nobody asks elsewhere', async () => {
  await setCompute(cloud, { ...fast, delays: { provisioning: 600, staging: 20 }, wait: 50 });
  const id = await jobs.submit();
  const early = await jobs.deliver({ patience: 100 });
  expect(early).toEqual([expect.objectContaining({ message: `${a} has not answered yet` })]);
  await redeliver(id);
  expect(await jobs.machines()).toEqual([`${a}/gazeline-${id}-1`]);
});

test('two schedulers in the same minute: two job-starts and two sweeps make one insert', async () => {
  const id = await jobs.place();
  await jobs.removeByHand(id);
  jobs.clock.ahead += 2 * minute;
  await Promise.all([jobs.sweep(), jobs.sweep()]);
  await Promise.all([jobs.deliver(), jobs.deliver()]);
  const { attempts, state } = await jobs.read(id);
  expect([state, attempts.length]).toEqual(['starting', 2]);
  const names = (await jobs.inserts()).map(({ body }) => body.name);
  expect(names).toEqual([`gazeline-${id}-1`, `gazeline-${id}-2`]);
});

test('a machine of somebody else that has the name is neither taken over nor removed', async () => {
  const id = await jobs.submit();
  const name = `gazeline-${id}-1`;
  await insert(cloud, clientsOf(cloud), machine(name, 'sleep 100', { labels: { owner: 'somebody' } }));
  await jobs.deliver();
  expect(await jobs.read(id)).toMatchObject({ state: 'failed', reason: `there is another machine ${name}` });
  await jobs.pass(2);
  await jobs.later(18);
  expect(await jobs.machines()).toEqual([`${a}/${name}`]);
});

test('a disk that is left and has the name sends the job to another zone, and not round in circles', async () => {
  const id = await jobs.submit();
  const name = `gazeline-${id}-1`;
  const { disks, ...rest } = machine(name, '');
  const kept = { ...rest, disks: disks.map((disk) => ({ ...disk, autoDelete: false })) };
  await insert(cloud, clientsOf(cloud), kept);
  await jobs.service.remove(a, name);
  expect(await jobs.disks()).toEqual([`${a}/${name}`]);
  await jobs.deliver();
  expect((await jobs.inserts()).map(({ zone, status }) => [zone, status])).toEqual([
    [a, 200],
    [a, 409],
    ['europe-west4-b', 200],
  ]);
  expect((await jobs.read(id)).state).toBe('starting');
});
