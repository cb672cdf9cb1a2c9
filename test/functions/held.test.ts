import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { clients } from '../../shared/clients.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { forgetRequests, requestsAt } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { logged, serve } from '../shared/framework.ts';

const cloud = useLocalCloud();
const source = join(import.meta.dirname, '../../functions/serve.ts');
const webhook = {
  GAZELINE_WEBHOOK_URL: 'https://example.org/drive-webhook',
  GAZELINE_CHANNEL_SECRET: 'a secret of some length',
};

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('raw', { versioning: { enabled: true } });
  await storage.createBucket('state');
  const name = `projects/${cloud.project}/topics/drive-changed`;
  await (await clients.pubsub()).projects.topics.create({ name, requestBody: {} });
});

const held = expect.stringContaining('Drive wants us to wait until');
const notYet = (entry: object) => ({ message: 'not yet', ...entry });
test.each([
  ['drive-feed', 503, notYet({ severity: 'WARNING', reason: held })],
  ['drive-reconcile', 503, notYet({ severity: 'WARNING', reason: held })],
  ['file-sync', 503, notYet({ severity: 'INFO', reason: 'Drive wants us to slow down' })],
  // It has polled; the channel is for the next tick.
  [
    'drive-tick',
    204,
    { severity: 'WARNING', message: expect.stringContaining('no push channel'), reason: held },
  ],
])(
  'while Drive holds all requests back for longer than a minute, %s is too early, and that is no error',
  async (name, status, entry) => {
    const records = recordsIn(await clients.storage(), 'state');
    // As the process that was told so puts it down for the others.
    const until = new Date(Date.now() + 200_000).toISOString();
    await records.update('drive/pace.json', z.object({ until: z.string() }), () => ({ until }));
    const served = await serve(name, webhook, source);
    try {
      await forgetRequests(cloud);
      const data = Buffer.from(JSON.stringify({ fileId: '1AbC' })).toString('base64');
      const answer = await served.send({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          message: { messageId: '1', data },
          subscription: 'projects/p/subscriptions/s',
        }),
      });
      expect(answer).toEqual({ status, body: '' });
      expect(await logged(served, '1')).toEqual([expect.objectContaining(entry)]);
      expect(await requestsAt(cloud, 'drive')).toEqual([]);
    } finally {
      await served.stop();
    }
  },
);
