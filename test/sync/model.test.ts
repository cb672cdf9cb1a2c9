import { expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import type { Publish } from '../../shared/publish.ts';
import { liveObject } from '../../shared/storage/rawObject.ts';
import type { Records } from '../../shared/storage/records.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { createModel, seeded } from './model.ts';
import { openSync, type Sync } from './syncKit.ts';

/*
 * People edit a Drive at random while everything fails at random; then it is quiet. `SEED=7 npm run test:model` runs one
 * seed again, `SEEDS=1-5000` as many as that.
 */
const cloud = useLocalCloud();
const [first = 1, last = first] = (process.env.SEED ?? process.env.SEEDS ?? '1-12').split('-').map(Number);
/** Seeds that found something once. */
const kept: number[] = [];

const faults = [
  { service: 'drive', kind: 'status', status: 503, probability: 0.04 },
  { service: 'drive', kind: 'status', status: 429, reason: 'rateLimitExceeded', probability: 0.02 },
  { service: 'drive', kind: 'status', status: 403, reason: 'userRateLimitExceeded', probability: 0.02 },
  { service: 'drive', kind: 'cut', probability: 0.02 },
  { service: 'drive', kind: 'cutAfter', bytes: 3000, probability: 0.03, path: '/files/[^/]+$' },
  { service: 'storage', kind: 'status', status: 503, probability: 0.04 },
  { service: 'storage', kind: 'status', status: 429, probability: 0.02 },
  { service: 'storage', kind: 'cut', probability: 0.02 },
  { service: 'storage', kind: 'lostAnswer', probability: 0.03 },
  { service: 'storage', kind: 'shortAck', probability: 0.2 },
];

test.each([...kept, ...Array.from({ length: last - first + 1 }, (_, index) => first + index)])(
  'seed %i: whatever people did and whatever failed, in the end the bucket is what the folder is',
  async (seed) => {
    const random = seeded(seed);
    const storage = await clients.storage();
    // It waits a second at the least between two tries, which would make hours of it; so every fault is ours to overcome.
    storage.retryOptions.autoRetry = false;
    let isStormy = false;
    const killed = () => isStormy && random() < 0.02;
    let clock = 0;
    const sync: Sync = await openSync({ now: () => Date.now() + clock, lease: 30 }, { random: () => 0 });
    sync.dependencies.records = dying(sync.dependencies.records, killed);
    sync.dependencies.publish = dyingPublish(sync.publish, killed);
    const root = await sync.folder(`seed ${seed}`);
    const prefix = `seed ${seed}/`;
    const model = createModel(sync, root, random);
    await sync.settle();
    await forgetRequests(cloud);

    const history: string[] = [];
    for (let round = 0; round < 5; round++) {
      const edits = Math.floor(random() * 6);
      for (let edit = 0; edit < edits; edit++) history.push(await model.edit());
      isStormy = true;
      await setFaults(cloud, ...faults);
      if (random() < 0.2) clock = Math.floor((random() - 0.5) * 7_200_000);
      if (random() < 0.5) await sync.drain().catch(() => {});
      if (random() < 0.05) await forgetToken(sync);
      const deadline = { deadline: random() < 0.5 ? Number.POSITIVE_INFINITY : 0 };
      Object.assign(sync.dependencies, deadline);
      // Some of the deliveries come in time, in any order; the others when more has happened.
      const left = sync.queue.splice(Math.floor(random() * sync.queue.length));
      await sync.pump({
        atATime: 1 + Math.floor(random() * 4),
        choose: (count) => Math.floor(random() * count),
        fate: () => (random() < 0.15 ? 'twice' : random() < 0.1 ? 'lost' : 'once'),
        mayFail: true,
      });
      sync.queue.push(...left);
      isStormy = false;
      await setFaults(cloud);
    }

    await sync.drain();
    // A connection that was cut in the storm may be noticed only now.
    await sync.pump({ atATime: 4, choose: (count) => Math.floor(random() * count), mayFail: true });
    if (random() < 0.5) await sync.reconcile();
    await sync.pump({ mayFail: true });

    const label = `seed ${seed}: ${history.join(', ')}`;
    await expectMirror(sync, model, prefix, label);
    await expectNoRevisionTwice(sync, prefix, label);
    // A comparison finds nothing left to be done.
    await sync.reconcile();
    expect({ label, asked: sync.queue.map(({ data }) => data) }).toEqual({ label, asked: [] });

    await sync.remove(root);
    await sync.settle();
    expect({ label, left: await sync.objects(prefix) }).toEqual({ label, left: {} });
  },
  60_000,
);

async function expectMirror(
  { raw }: Sync,
  { expected, clashes }: ReturnType<typeof createModel>,
  prefix: string,
  label: string,
): Promise<void> {
  const [files] = await raw.getFiles({ prefix });
  const objects = new Map(files.map(({ metadata, name }) => [name, liveObject(metadata)]));
  const wrong: string[] = [];
  for (const { id, plain, twin, content } of expected()) {
    const [at, ...more] = [plain, twin].filter(
      (name, index, all) =>
        all.indexOf(name) === index && objects.get(prefix + name)?.metadata['drive-file-id'] === id,
    );
    if (at === undefined || more.length > 0) {
      wrong.push(`${plain} of ${id} is there ${at === undefined ? 'not at all' : 'twice'}`);
      continue;
    }
    if (at === twin && at !== plain && !clashes.has(plain)) wrong.push(`${twin} never had a twin`);
    const [bytes] = await raw.file(prefix + at).download();
    if (content && !bytes.equals(content)) wrong.push(`${at} has other bytes`);
    objects.delete(prefix + at);
  }
  expect({ label, wrong, unexpected: [...objects.keys()] }).toEqual({ label, wrong: [], unexpected: [] });
}

/** Uploads of one object are no more than the revisions that it had. */
async function expectNoRevisionTwice({ raw }: Sync, prefix: string, label: string): Promise<void> {
  const [versions] = await raw.getFiles({ prefix, versions: true });
  const revisions = new Map<string, Set<string>>();
  for (const { name, metadata } of versions) {
    const { 'drive-revision': revision = metadata.generation, 'drive-file-id': id } =
      liveObject(metadata).metadata;
    revisions.set(name, (revisions.get(name) ?? new Set()).add(`${id} ${revision}`));
  }
  const uploads = new Map<string, Set<string>>();
  for (const { method, url, status, detail } of await requestsAt(cloud, 'storage')) {
    const { searchParams, pathname } = new URL(url, 'http://x');
    const name = searchParams.get('name');
    // Without a detail the connection was cut before anything was done.
    if (!name || status !== 200 || !detail || pathname !== '/upload/storage/v1/b/raw/o') continue;
    // A session that has ended says so again to whoever did not hear it.
    const upload = searchParams.get('upload_id') ?? String(uploads.get(name)?.size);
    const isDone = method === 'PUT' || searchParams.get('uploadType') === 'multipart';
    if (isDone) uploads.set(name, (uploads.get(name) ?? new Set()).add(upload));
  }
  const twice = [...uploads].filter(([name, { size }]) => size > (revisions.get(name)?.size ?? 0));
  expect({ label, twice }).toEqual({ label, twice: [] });
}

/** Records of a process that may be killed before a write, or after it. */
const dying = (records: Records, killed: () => boolean): Records => ({
  ...records,
  async write(...args) {
    if (killed()) throw new Error('killed before a record');
    const generation = await records.write(...args);
    if (killed()) throw new Error('killed after a record');
    return generation;
  },
});

const dyingPublish =
  (publish: Publish, killed: () => boolean): Publish =>
  async (...args) => {
    if (killed()) throw new Error('killed before a message');
    await publish(...args);
    if (killed()) throw new Error('killed after a message');
  };

async function forgetToken({ dependencies: { records } }: Sync): Promise<void> {
  const { any } = await import('zod');
  const feed = await records.read('drive/feed.json', any());
  if (feed)
    await records
      .write('drive/feed.json', { ...feed.value, pageToken: 'nonsense' }, feed.generation)
      .catch(() => {});
}
