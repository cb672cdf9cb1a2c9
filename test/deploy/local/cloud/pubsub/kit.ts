import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import { createFaults } from '../../../../../deploy/local/cloud/faults.ts';
import { answerErrors } from '../../../../../deploy/local/cloud/googleError.ts';
import { createPubSub } from '../../../../../deploy/local/cloud/pubsub/pubsub.ts';
import { createRequests } from '../../../../../deploy/local/cloud/requests.ts';
import { openStore } from '../../../../../deploy/local/cloud/store.ts';

/** Pub/Sub alone, over a folder, with its store within reach. */
export async function openPubSub(dir: string) {
  const store = openStore(dir);
  const faults = createFaults();
  const pubsub = createPubSub({
    store,
    faults,
    requests: createRequests(),
    project: 'lab',
    origin: () => '',
  });
  const app = express().use('/_local/faults', express.json(), faults.router);
  const server = createServer(app.use(pubsub.router).use(answerErrors));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { topics, subscriptions } = new pubsub_v1.Pubsub({ rootUrl: `${origin}/`, retry: false }).projects;
  return {
    pubsub,
    store,
    origin,
    topics,
    subscriptions,
    publish: (topic: string, texts: string[], orderingKey = '') =>
      pubsub.publish(
        topic,
        texts.map((text) => ({ data: Buffer.from(text), attributes: {}, orderingKey })),
      ),
    /** A client has to ask for ten seconds at least; no test waits for so long. */
    shortenDeadlines: (seconds: number) =>
      store.db.exec(
        `UPDATE pubsub_subscriptions SET resource = json_set(resource, '$.ackDeadlineSeconds', ${seconds})`,
      ),
    async close() {
      await pubsub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      store.close();
    },
  };
}
