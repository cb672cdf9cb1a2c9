import { beforeAll, expect, test } from '@jest/globals';
import type { tpu_v2 } from 'googleapis/build/src/apis/tpu/v2.js';

import type { Machines } from '../../../shared/machines/machines.ts';
import { tpuNodes } from '../../../shared/machines/tpuNodes.ts';
import { isGone, nodeAt, queuedAt, quick, setTpu, zone } from '../../deploy/local/cloud/tpu/kit.ts';
import { setFaults } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';
import { seeded } from '../../sync/model.ts';
import { nameOf, requestFor, sentTo } from './tpuKit.ts';

const seed = Number(process.env.SEED ?? 1);
const cloud = useLocalCloud({ random: seeded(seed) });
type Tpus = Machines<tpu_v2.Params$Resource$Projects$Locations$Queuedresources$Create>;
let tpus: Tpus;
let calm: tpu_v2.Resource$Projects$Locations;
beforeAll(async () => {
  const { tpu_v2 } = (await import('googleapis/build/src/apis/tpu/v2.js')).default;
  const rootUrl = `${cloud.origin}/`;
  // The library's own tries would hide most of what happens here.
  const tpu = new tpu_v2.Tpu({ rootUrl, retry: false });
  calm = tpu.projects.locations;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20)));
  tpus = tpuNodes(cloud.project, tpu, { wait }) as Tpus;
});

const storm = [
  ...['POST', 'GET', 'DELETE'].flatMap((method) =>
    ['cut', 'lostAnswer', 'status'].map((kind) => ({
      service: 'tpu',
      kind,
      method,
      path: '^/v2/',
      probability: 0.12,
    })),
  ),
  { service: 'tpu', kind: 'rateLimit', probability: 0.05 },
  { service: 'tpu', kind: 'stockOut', probability: 0.3 },
  { service: 'tpu', kind: 'vanish', probability: 0.2 },
];

/** Asks, like the functions, until it is known whether there is a machine. */
async function asked(id: string): Promise<'there' | { kind: string }> {
  for (let round = 0; ; ) {
    const answer = await tpus.insert(requestFor(cloud, id, { round }), 300).catch(() => 'unknown' as const);
    if (answer === 'there') return answer;
    if (answer === 'unknown') continue;
    await setFaults(cloud);
    expect([answer.kind, await areGone(id)]).toEqual([answer.kind, true]);
    await setFaults(cloud, ...storm);
    if (answer.kind !== 'transient' && answer.kind !== 'rate') return answer;
    round++;
  }
}
const areGone = async (id: string) =>
  (await isGone(calm.queuedResources.get(queuedAt(cloud, nameOf(id))))) &&
  (await isGone(calm.nodes.get(nodeAt(cloud, nameOf(id)))));

test(`seed ${seed}: whatever is lost on the way, there is one machine or it is said why and none is left`, async () => {
  await setTpu(cloud, quick);
  await setFaults(cloud, ...storm);
  const answers: string[] = [];
  for (let index = 0; index < 12; index++) {
    const id = `storm-${index}`;
    const answer = await asked(id);
    answers.push(answer === 'there' ? answer : answer.kind);
    if (answer !== 'there') continue;
    for (let isLeft = true; isLeft; )
      isLeft = !(await tpus.remove(zone, nameOf(id)).catch(() => ({ gone: false }))).gone;
    await setFaults(cloud);
    expect(await areGone(id)).toBe(true);
    await setFaults(cloud, ...storm);
  }
  await setFaults(cloud);
  expect(new Set(answers)).toEqual(new Set(['there', 'stock-out']));
  const bill = (await (await fetch(`${cloud.origin}/_local/tpu/bill`)).json()) as { endedAt?: string }[];
  expect(bill.every(({ endedAt }) => endedAt)).toBe(true);
  expect((await sentTo(cloud)).length).toBeGreaterThan(100);
}, 60_000);
