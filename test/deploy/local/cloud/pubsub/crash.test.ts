import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import { startReceiver, until } from './receiver.ts';

const topic = 'projects/lab/topics/files';
const pushed = 'projects/lab/subscriptions/pushed';
const pulled = 'projects/lab/subscriptions/pulled';

let dir = '';
let kill = async () => {};
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
});
afterEach(async () => {
  await kill();
  await rm(dir, { recursive: true });
});

async function start() {
  const child = fork(join(import.meta.dirname, 'child.ts'), [dir], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const [{ origin }] = (await once(child, 'message')) as [{ origin: string }];
  const { topics, subscriptions } = new pubsub_v1.Pubsub({ rootUrl: `${origin}/`, retry: false }).projects;
  const publish = async (texts: string[]) => {
    const messages = texts.map((text) => ({ data: Buffer.from(text).toString('base64') }));
    return (await topics.publish({ topic, requestBody: { messages } })).data.messageIds ?? [];
  };
  const pull = async () => {
    const requestBody = { maxMessages: 5, returnImmediately: true };
    const { data } = await subscriptions.pull({ subscription: pulled, requestBody });
    return (data.receivedMessages ?? []).map(({ ackId, message }) => ({
      ackId: ackId ?? '',
      text: Buffer.from(message?.data ?? '', 'base64').toString(),
    }));
  };
  const pending = async () => {
    const answer = await fetch(`${origin}/_local/pending`);
    return ((await answer.json()) as { pubsub: number }).pubsub;
  };
  return { topics, subscriptions, publish, pull, pending };
}

test('after a kill what was not acknowledged is delivered, and what was acknowledged is not', async () => {
  const receiver = await startReceiver(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 204;
  });
  try {
    const before = await start();
    await before.topics.create({ name: topic });
    const push = { pushEndpoint: receiver.url };
    const retryPolicy = { minimumBackoff: '0.1s', maximumBackoff: '1s' };
    await before.subscriptions.create({
      name: pushed,
      requestBody: { topic, pushConfig: push, retryPolicy, ackDeadlineSeconds: 600 },
    });
    await before.subscriptions.create({ name: pulled, requestBody: { topic } });
    const texts = Array.from({ length: 500 }, (_, index) => String(index));
    const ids = await before.publish(texts);
    const ackIds = (await before.pull()).map(({ ackId }) => ackId);
    await before.subscriptions.acknowledge({ subscription: pulled, requestBody: { ackIds } });
    await until(() => receiver.pushes.length > 100);
    await kill();
    const sent = receiver.pushes.length;
    expect(sent).toBeLessThan(500);

    const after = await start();
    await until(async () => (await after.pending()) === 0);
    const counts = new Map<string, number>();
    for (const { text } of receiver.pushes) counts.set(text, (counts.get(text) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([...texts].sort());
    // What comes a second time is what was under way when the process died: a hundred at most.
    expect(receiver.pushes.length - 500).toBeLessThanOrEqual(100);
    expect((await after.pull()).map(({ text }) => text)).toEqual(['5', '6', '7', '8', '9']);
    const [next] = await after.publish(['later']);
    expect(Number(next)).toBeGreaterThan(Math.max(...ids.map(Number)));
  } finally {
    await receiver.close();
  }
});
