import type { Bucket } from '@google-cloud/storage';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { objectArrived } from '../../functions/object-arrived.ts';
import { settingsFor } from '../../shared/annotation/settings.ts';
import { clients } from '../../shared/clients.ts';
import { Unprocessable } from '../../shared/unprocessable.ts';
import { forgetRequests, rememberLog, rememberPublish, requestsAt } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';

const cloud = useLocalCloud();
const publish = rememberPublish();
const log = rememberLog();
let raw: Bucket;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('raw', { versioning: { enabled: true } });
  raw = storage.bucket('raw');
});
beforeEach(() => {
  publish.sent.length = 0;
  log.entries.length = 0;
});

async function put(name: string, content: string | Buffer) {
  const file = raw.file(name);
  await file.save(content, { resumable: false });
  return { bucket: 'raw', name, generation: String(file.metadata.generation) };
}
const arrive = (object: Awaited<ReturnType<typeof put>>) => objectArrived(object, { raw, publish, log });
const prose = 'The lighthouse keeper climbed the stairs once more that night.';
const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');
const gaze = `time\tx\ty\n${Array.from({ length: 20 }, (_, i) => `${i}\t${i}.5\t3\n`).join('')}`;

test.each<[string, string | Buffer, string, object]>([
  ['kinds/a.png', png, 'stimulus-arrived', { kind: 'image' }],
  ['kinds/ü #?.txt', prose, 'stimulus-arrived', { kind: 'text' }],
  ['kinds/no ending', prose, 'stimulus-arrived', { kind: 'text' }],
  ['kinds/r.tsv', gaze, 'recording-arrived', {}],
])('%s is told to those whom it concerns', async (name, content, topic, more) => {
  const object = await put(name, content);
  await arrive(object);
  expect(publish.sent).toEqual([{ topic, data: { name, generation: object.generation, ...more } }]);
});

test.each<[string, string | Buffer]>([
  ['a.json', '{"a":1}'],
  ['a.pdf', '%PDF-1.7\n'],
  ['a.bin', Buffer.alloc(100)],
  ['empty.txt', ''],
])('%s concerns nobody, and is no error', async (name, content) => {
  await arrive(await put(`others/${name}`, content));
  expect(publish.sent).toEqual([]);
  expect(log.entries).toEqual([expect.objectContaining({ severity: 'INFO', message: 'arrived' })]);
});

test('an object that is gone is left alone', async () => {
  await arrive({ bucket: 'raw', name: 'gone.txt', generation: '1' });
  expect(publish.sent).toEqual([]);
});

test('of a large object only the beginning is read', async () => {
  const object = await put('large.txt', prose.repeat(20_000));
  await forgetRequests(cloud);
  const { bytesRead } = await bytesOf(() => arrive(object));
  expect(bytesRead).toBeLessThan(100_000);
  expect(publish.sent).toHaveLength(1);
});

/** What this process was sent while `work` ran. */
async function bytesOf(work: () => Promise<void>): Promise<{ bytesRead: number }> {
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
  const sockets = new Map<{ bytesRead: number }, number>();
  const note = (message: unknown) => {
    const { socket } = (message as { response: { socket: { bytesRead: number } } }).response;
    if (!sockets.has(socket)) sockets.set(socket, socket.bytesRead);
  };
  subscribe('http.client.response.finish', note);
  await work();
  unsubscribe('http.client.response.finish', note);
  return { bytesRead: [...sockets].reduce((sum, [socket, before]) => sum + socket.bytesRead - before, 0) };
}

test('new settings make everything in their folder and below arrive again, and nothing else', async () => {
  const inside = [await put('study/a.png', png), await put('study/below/b.txt', prose)];
  await put('study2/c.txt', prose);
  await put('top.txt', prose);
  await put('study/below/gazeline.yaml', 'annotate: {}');
  await arrive(await put('study/gazeline.yaml', 'annotate: { images: [text] }'));
  const sent = publish.sent.map(({ topic, attributes }) => ({ topic, ...attributes }));
  expect(sent).toEqual(
    inside.map(({ name, generation }) => ({
      topic: 'raw-object',
      eventType: 'OBJECT_FINALIZE',
      bucketId: 'raw',
      objectId: name,
      objectGeneration: generation,
    })),
  );
});

test('broken settings are told to a person, and what they were for arrives all the same', async () => {
  const { name } = await put('broken/a.txt', prose);
  const settings = await put('broken/gazeline.yaml', 'annotate: { images: [smells] }');
  await expect(arrive(settings)).rejects.toThrow(Unprocessable);
  await expect(arrive(settings)).rejects.toThrow(/broken\/gazeline\.yaml[\s\S]*smells/);
  expect(publish.sent[0]?.attributes).toMatchObject({ objectId: name });
});

test('the nearest settings count, above a folder those of its parents, and else the default', async () => {
  await put('gaze/gazeline.yaml', 'annotate: { images: [text] }');
  await put('gaze/deep/er/gazeline.yaml', 'annotate: { images: [faces] }');
  const imagesOf = async (name: string) => {
    const { settings, from } = await settingsFor(raw, name);
    return { images: settings.annotate.images, from };
  };
  expect(await imagesOf('gaze/a.png')).toEqual({ images: ['text'], from: 'gaze/gazeline.yaml' });
  expect(await imagesOf('gaze/deep/a.png')).toEqual({ images: ['text'], from: 'gaze/gazeline.yaml' });
  expect(await imagesOf('gaze/deep/er/still/a.png')).toEqual({
    images: ['faces'],
    from: 'gaze/deep/er/gazeline.yaml',
  });
  expect(await imagesOf('elsewhere/a.png')).toMatchObject({ from: undefined });
});

test('where the nearest settings are broken the default counts, and not those further up', async () => {
  await put('half/gazeline.yaml', 'annotate: { images: [text] }');
  await put('half/way/gazeline.yaml', '[');
  expect(await settingsFor(raw, 'half/way/a.png')).toMatchObject({
    settings: { annotate: { images: ['colours', 'faces', 'objects', 'text'] } },
    problem: { object: 'half/way/gazeline.yaml', reason: expect.any(String) },
  });
  await put('huge/gazeline.yaml', `annotate: {}\n#${'x'.repeat(200_000)}`);
  expect(await settingsFor(raw, 'huge/a.png')).toMatchObject({
    problem: { reason: 'larger than 65536 bytes' },
  });
  await put('empty/gazeline.yaml', '');
  expect(await settingsFor(raw, 'empty/a.png')).toMatchObject({ from: 'empty/gazeline.yaml' });
});

test('settings cost one small read for each folder', async () => {
  await forgetRequests(cloud);
  await settingsFor(raw, 'gaze/deep/a.png');
  expect(await requestsAt(cloud, 'storage')).toHaveLength(2);
});
