import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../../../deploy/local/cloud/cloud.ts';
import {
  type Clients,
  clientsOf,
  insert,
  lives,
  machine,
  quick,
  setCompute,
  until,
  wait,
  zone,
} from './kit.ts';

let dir = '';
let cloud: Cloud | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
});
afterEach(async () => {
  await cloud?.close();
  cloud = undefined;
  await rm(dir, { recursive: true });
});

const file = (name: string, path: string) => readFile(join(dir, 'machines', zone, name, path), 'utf8');
const pidsOf = async (name: string) =>
  until(async () => (await file(name, 'pids').catch(() => '')).trim().split('\n').length === 2).then(
    async () => (await file(name, 'pids')).trim().split('\n'),
  );
/** One that is in a process group of its own, and one that is not; neither is gone after a signal. */
const script = `trap '' TERM; timeout 100 sleep 100 & echo $! >> pids; sleep 100 & echo $! >> pids; wait`;

async function start(): Promise<{ cloud: Cloud; clients: Clients }> {
  const started = await startCloud({ dir });
  cloud = started;
  await setCompute(started, quick);
  return { cloud: started, clients: clientsOf(started) };
}

test('when the local cloud ends, so does everything on its machines, and a new one finds them stopped', async () => {
  const first = await start();
  await insert(first.cloud, first.clients, machine('ran', script));
  const pids = await pidsOf('ran');
  expect(pids.map(lives)).toEqual([true, true]);
  await first.cloud.close();
  expect(pids.map(lives)).toEqual([false, false]);

  const second = await start();
  const at = { project: second.cloud.project, zone, instance: 'ran' };
  expect((await second.clients.instances.get(at))[0]).toMatchObject({
    status: 'TERMINATED',
    lastStopTimestamp: expect.any(String),
  });
  const bill = (await (await fetch(`${second.cloud.origin}/_local/compute/bill`)).json()) as object[];
  expect(bill).toEqual([expect.objectContaining({ name: 'ran', endedAt: expect.any(String) })]);
  const [{ latestResponse }] = await second.clients.instances.start(at);
  await wait(second.cloud, second.clients, latestResponse.name ?? '');
  await until(async () => (await file('ran', 'pids')).trim().split('\n').length === 4);
});

test('when the local cloud is killed, its machines end by themselves, and what was under way is over', async () => {
  const child = fork(join(import.meta.dirname, '..', 'storage', 'child.ts'), [dir], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const [{ origin }] = (await once(child, 'message')) as [{ origin: string }];
  const killed = { origin, project: 'gazeline-local' } as Cloud;
  const clients = clientsOf(killed);
  await setCompute(killed, quick);
  await insert(killed, clients, machine('killed', script));
  const pids = await pidsOf('killed');
  await setCompute(killed, { ...quick, shutdown: 60_000 });
  const at = { project: killed.project, zone, instance: 'killed' };
  const [{ latestResponse }] = await clients.instances.delete(at);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until(() => !pids.some(lives));

  const second = await start();
  expect(await wait(second.cloud, second.clients, latestResponse.name ?? '')).toMatchObject({
    status: 'DONE',
  });
  await expect(second.clients.instances.get(at)).rejects.toMatchObject({ code: 5 });
});
