import { createHmac } from 'node:crypto';
import { mintIdToken } from '../../deploy/local/cloud/token/mintIdToken.ts';
import { provision } from '../../deploy/local/host/provision.ts';
import { functions } from '../../functions/index.ts';
import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { recordsIn } from '../../shared/storage/records.ts';

export type FirstEvent = { method?: string; path?: string; headers?: Record<string, string>; body?: unknown };

/**
 * What each function is asked first, so that its clients are used: on the local cloud that the environment names, whose
 * topics and buckets are made here. A function that is missing is started and asked nothing.
 */
export async function firstEvents(): Promise<Record<string, FirstEvent>> {
  // Nobody listens there: the only deliveries are those made with what is returned.
  await provision({ endpointOf: (name) => `http://127.0.0.1:9/${name}`, maximumBackoff: 600 });
  const raw = (await clients.storage()).bucket('raw');
  const settings = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } };
  const text = raw.file('story.txt');
  await text.save('A short story about a lamp and its keeper.', settings);
  await raw.file('gazeline.yaml').save('annotate: { texts: [syntax, sentiment] }', settings);
  const generation = String(text.metadata.generation);
  const object = { bucketId: 'raw', objectId: 'story.txt', objectGeneration: generation };

  let deliveries = 0;
  const push = (data: unknown, attributes: Record<string, string> = {}) => ({
    message: {
      messageId: `first-${deliveries++}`,
      data: Buffer.from(JSON.stringify(data)).toString('base64'),
      attributes,
    },
  });
  const channel = createHmac('sha256', process.env.GAZELINE_CHANNEL_SECRET ?? '').update('first');
  const asked: Record<string, FirstEvent> = {
    'drive-webhook': {
      headers: {
        'x-goog-channel-id': 'first',
        'x-goog-channel-token': channel.digest('base64url'),
        'x-goog-resource-state': 'change',
      },
    },
    'file-sync': { body: push({ fileId: 'a-file-that-is-not-there' }) },
    'object-arrived': { body: push({}, { eventType: 'OBJECT_FINALIZE', ...object }) },
    annotate: { body: push({ name: 'story.txt', generation, kind: 'text' }) },
    'budget-guard': { body: push({ check: {} }) },
    'job-start': { body: push({ job: 'a-job-that-is-not-there' }) },
    'job-event': { body: push({}, { ...object, bucketId: 'derived', eventType: 'OBJECT_FINALIZE' }) },
    'drive-feed': { body: push({}) },
    'session-start': { body: push({ session: 'a-session-that-is-not-there' }) },
    export: { body: push({ export: 'export-0123456789ab' }) },
    'notice-board': { body: push({ check: {} }) },
    'dead-letter': { body: push({}) },
    api: { method: 'GET', path: 'v1/me', headers: { authorization: `Bearer ${await letIn()}` } },
  };
  // A tick says nothing.
  for (const [name, { trigger }] of Object.entries(functions))
    if (trigger.kind === 'clock') asked[name] ??= { body: push({}) };
  return asked;
}

/** An admin of the API, and a token of theirs. */
async function letIn(): Promise<string> {
  const { localCloud = '', project, stateBucket, apiUrl } = config();
  const account = `caller-ada@${project}.iam.gserviceaccount.com`;
  await recordsIn(await clients.storage(), stateBucket).write(
    'access.json',
    { members: { [account]: 'admin' } },
    '0',
  );
  return mintIdToken(localCloud, account, apiUrl[0] ?? '');
}
