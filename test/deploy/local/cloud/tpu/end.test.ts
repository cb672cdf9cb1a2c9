import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Cloud, startCloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { lives } from '../compute/kit.ts';
import { until } from '../pubsub/receiver.ts';
import {
  clientOf,
  folderOf,
  nodeAt,
  queued,
  queuedAt,
  quick,
  setTpu,
  untilNode,
  untilQueued,
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

async function start() {
  const started = await startCloud({ dir });
  cloud = started;
  return { cloud: started, client: clientOf(started) };
}

test('when the local cloud ends, so do its nodes, and a new one finds them ended; what waited goes on waiting', async () => {
  const first = await start();
  await setTpu(first.cloud, { ...quick, soldOut: [{ acceleratorType: 'v5litepod-8' }] });
  const script = "trap '' TERM; sleep 100 & echo $! > child; wait";
  await first.client.queuedResources.create(queued(first.cloud, 'ran', script));
  const more = { acceleratorType: 'v5litepod-8' };
  await first.client.queuedResources.create(queued(first.cloud, 'waited', '', { more }));
  const child = await until(() => readFile(join(folderOf({ dir }, 'ran'), 'child'), 'utf8').catch(() => ''));
  await untilQueued(first.cloud, first.client, 'waited', 'WAITING_FOR_RESOURCES');
  await first.cloud.close();
  expect(lives(child)).toBe(false);

  const second = await start();
  expect((await second.client.nodes.get(nodeAt(second.cloud, 'ran'))).data.state).toBe('TERMINATED');
  const bill = (await (await fetch(`${second.cloud.origin}/_local/tpu/bill`)).json()) as object[];
  expect(bill).toEqual([expect.objectContaining({ name: 'ran', zone, endedAt: expect.any(String) })]);
  await untilNode(second.cloud, second.client, 'waited', 'READY');
  await second.client.queuedResources.get(queuedAt(second.cloud, 'waited'));
});
