import assert from 'node:assert/strict';
import type { Cloud } from '../../deploy/local/cloud/cloud.ts';
import { clients } from '../../shared/clients.ts';
import { tallies } from '../../shared/drive/runs.ts';
import { forgetRequests, setFaults } from '../kit.ts';
import { type Kill, kills } from './kills.ts';
import { expectMirror, expectNoRevisionTwice } from './mirror.ts';
import { createModel, seeded } from './model.ts';
import { type Delivery, openSync, type Sync } from './syncKit.ts';

/*
 * People edit a Drive at random while everything fails at random; then it is quiet, and the bucket must be what the folder
 * is.
 */
let strikes = Math.random;
/** Which of the local cloud's faults strike: `random` of its options. */
export const strike = () => strikes();
let kill = (): Kill => undefined;
const processes = kills(() => kill());

const faults = [
  { service: 'drive', kind: 'status', status: 503, probability: 0.04 },
  { service: 'drive', kind: 'status', status: 429, reason: 'rateLimitExceeded', probability: 0.02 },
  { service: 'drive', kind: 'status', status: 403, reason: 'userRateLimitExceeded', probability: 0.02 },
  { service: 'drive', kind: 'cut', probability: 0.02 },
  { service: 'drive', kind: 'cutAfter', bytes: 3000, probability: 0.03, path: '/files/[^/]+(/export)?$' },
  { service: 'drive', kind: 'incompleteSearch', probability: 0.02 },
  { service: 'drive', kind: 'expirePageTokens', status: 400, probability: 0.03 },
  { service: 'drive', kind: 'expirePageTokens', status: 410, probability: 0.03 },
  { service: 'storage', kind: 'status', status: 503, probability: 0.04 },
  { service: 'storage', kind: 'status', status: 429, probability: 0.02 },
  { service: 'storage', kind: 'cut', probability: 0.02 },
  { service: 'storage', kind: 'lostAnswer', probability: 0.03 },
  { service: 'storage', kind: 'shortAck', probability: 0.2 },
  { service: 'storage', kind: 'expireSession', status: 410, probability: 0.02 },
  { service: 'storage', kind: 'expireSession', status: 404, probability: 0.02 },
];
const hour = 3_600_000;

/** @throws with what people did, if the bucket is not what the folder is */
export async function runSeed(cloud: Cloud, seed: number): Promise<void> {
  // What people do does not depend on how often something else is asked for a number.
  const random = seeded(seed);
  const chance = seeded(seed + 1_000_000);
  strikes = seeded(seed + 2_000_000);
  const storage = await clients.storage();
  // It waits a second at the least between two tries, which would make hours of it; so every fault is ours to overcome.
  storage.retryOptions.autoRetry = false;
  let isStormy = false;
  let clock = 0;
  const now = () => Date.now() + clock;
  const sync: Sync = await openSync({ now, lease: 30 }, { random: () => 0 });
  sync.feed.now = now;
  useProcesses(sync);
  kill = () => {
    if (!isStormy || chance() >= 0.01) return undefined;
    return chance() < 0.5 ? 'before' : 'after';
  };
  const root = await sync.folder(`seed ${seed}`);
  const prefix = `seed ${seed}/`;
  const model = createModel(sync, root, random);
  await sync.settle();
  await forgetRequests(cloud);

  const history: string[] = [];
  const deadLetters: Delivery[] = [];
  let needsComparison = false;
  const lose = ({ topic, data }: Delivery) => {
    needsComparison = true;
    // Half of it may have been done, and nobody has put it down.
    const { fileId } = data as { fileId?: string };
    if (topic === 'file-changed' && fileId) model.mayComeAgain(fileId);
  };
  const choose = (count: number) => Math.floor(chance() * count);
  const delivering = {
    choose,
    mayFail: true,
    deadLetters,
    // As long as Pub/Sub waits before it tries again.
    comesAgain(attempts: number) {
      clock += Math.min(1000 * 2 ** attempts, 600_000);
    },
  };
  for (let round = 0; round < 5; round++) {
    const edits = Math.floor(random() * 9);
    for (let edit = 0; edit < edits; edit++) {
      const did = await model.edit();
      history.push(did);
      // Who is on the way from a folder's old name is not found below the name that it had last.
      if (did === 'lose access' && sync.queue.length > 0) needsComparison = true;
    }
    isStormy = true;
    await setFaults(cloud, ...faults);
    if (chance() < 0.2) clock += Math.floor((chance() - 0.5) * 2 * hour);
    if (chance() < 0.5) await sync.handle({ topic: 'drive-changed', data: {}, attempts: 0 }).catch(() => {});
    if (chance() < 0.1) await sync.publish('drive-reconcile', [{ data: {} }]);
    const deadline = { deadline: chance() < 0.5 ? Number.POSITIVE_INFINITY : 0 };
    Object.assign(sync.dependencies, deadline);
    Object.assign(sync.reconciling, deadline);
    // Some of the deliveries come in time, in any order; the others when more has happened.
    const left = sync.queue.splice(choose(sync.queue.length));
    await sync.pump({
      ...delivering,
      atATime: 1 + Math.floor(chance() * 4),
      fate(delivery) {
        const fate = chance();
        if (fate < 0.01) lose(delivery);
        return fate < 0.01 ? 'never' : fate < 0.1 ? 'lost' : fate < 0.25 ? 'twice' : 'once';
      },
    });
    sync.queue.push(...left);
    isStormy = false;
    await setFaults(cloud);
  }

  // What a process claimed whose clock was ahead, and which was killed, is free again.
  clock += 3 * hour;
  sync.reconciling.deadline = Number.POSITIVE_INFINITY;
  await sync.drain();
  // A connection that was cut in the storm may be noticed only now.
  await sync.pump({ ...delivering, atATime: 4 });
  for (const delivery of deadLetters) lose(delivery);
  if (chance() < 0.5) await sync.reconcile();
  await sync.pump({ mayFail: true });
  // What was lost for good is found once a day; today's comparison may have been the rest of one that was broken off.
  for (let day = 0; needsComparison && day < 2; day++) {
    await sync.reconcile();
    await sync.pump({ mayFail: true });
  }

  const label = `seed ${seed}: ${history.join(', ')}`;
  await expectMirror(sync, model, prefix, label);
  await expectNoRevisionTwice(sync, model, cloud, prefix, label);
  const attention = Object.entries(await sync.attention()).filter(([path]) => path.startsWith(prefix));
  const unsettled = attention.filter(([, reason]) => reason !== 'skipped: a form is not exported');
  assert.deepEqual({ label, unsettled }, { label, unsettled: [] });
  // A comparison finds nothing left to be done.
  await sync.reconcile();
  assert.deepEqual({ label, asked: sync.queue.map(({ data }) => data) }, { label, asked: [] });

  await sync.remove(root);
  await sync.settle();
  assert.deepEqual({ label, left: await sync.objects(prefix) }, { label, left: {} });
}

/** Each delivery is handled by a process of its own. */
function useProcesses(sync: Sync): void {
  const { run, publish } = processes;
  const { handle } = sync;
  sync.handle = (delivery) => run(() => handle(delivery));
  // Each counts for itself: one that is killed must not keep the others waiting.
  const { records } = sync.dependencies;
  sync.dependencies.tallies = { begin: (of) => tallies(records).begin(of) };
  for (const one of [sync.dependencies, sync.feed, sync.reconciling]) one.publish = publish(one.publish);
  sync.feed.requestReconcile = () => sync.feed.publish('drive-reconcile', [{ data: {} }]);
}
