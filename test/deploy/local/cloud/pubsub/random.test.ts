import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Cloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { setFaults } from '../../../../kit.ts';
import { openPubSub } from './kit.ts';
import { startReceiver, until } from './receiver.ts';

const topic = 'projects/lab/topics/files';
const subscription = 'projects/lab/subscriptions/files';

const scenario = fc.record({
  /** The ordering key of each message; no key for the empty one. */
  keys: fc.array(fc.constantFrom('', 'a', 'b'), { minLength: 1, maxLength: 25 }),
  /** What the endpoint does with its first pushes; later it accepts everything. */
  answers: fc.array(fc.constantFrom(204 as const, 500 as const, 'hang' as const, 'die' as const), {
    maxLength: 20,
  }),
  lost: fc.constantFrom(0, 0.2),
  doubled: fc.constantFrom(0, 0.3),
  late: fc.constantFrom(0, 40),
  restart: fc.boolean(),
});

test('whatever an endpoint does and however pushes go astray, every message is accepted in the end, in the order of its key', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ keys, answers, lost, doubled, late, restart }) => {
      const dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
      const accepted: string[] = [];
      const left = [...answers];
      const receiver = await startReceiver(({ text }) => {
        const answer = left.shift() ?? 204;
        if (answer === 204) accepted.push(text);
        return answer;
      });
      const start = async () => {
        const local = await openPubSub(dir);
        const faults = [
          { kind: 'lostPush', probability: lost },
          { kind: 'doubledPush', probability: doubled },
          { kind: 'latePush', ms: late },
        ];
        await setFaults(
          local as unknown as Cloud,
          ...faults.map((fault) => ({ service: 'pubsub', ...fault })),
        );
        return local;
      };
      let local = await start();
      await local.topics.create({ name: topic });
      await local.subscriptions.create({
        name: subscription,
        requestBody: {
          topic,
          enableMessageOrdering: true,
          pushConfig: { pushEndpoint: receiver.url },
          retryPolicy: { minimumBackoff: '0.005s', maximumBackoff: '0.02s' },
        },
      });
      local.shortenDeadlines(0.15);
      const texts = keys.map((key, index) => `${key}${index}`);
      texts.forEach((text, index) => {
        local.publish(topic, [text], keys[index]);
      });
      if (restart) {
        await until(() => receiver.pushes.length > 0);
        await local.close();
        local = await start();
      }
      await until(() => local.pubsub.pending() === 0);
      const remaining = local.store.db.prepare('SELECT count(*) count FROM pubsub_messages').get();
      await local.close();
      await receiver.close();
      await rm(dir, { recursive: true });

      expect(new Set(accepted)).toEqual(new Set(texts));
      expect(new Set(receiver.pushes.map(({ text }) => text))).toEqual(new Set(texts));
      expect(remaining).toEqual({ count: 0 });
      for (const key of ['a', 'b']) {
        const firsts = [...new Set(receiver.pushes.map(({ text }) => text))].filter((text) =>
          text.startsWith(key),
        );
        expect(firsts).toEqual(texts.filter((text) => text.startsWith(key)));
      }
    }),
    { numRuns: 15, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
  );
});
