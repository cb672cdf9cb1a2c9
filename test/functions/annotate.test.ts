import { createHash } from 'node:crypto';
import type { Bucket } from '@google-cloud/storage';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { PNG } from 'pngjs';
import { type AnnotateDependencies, annotate, Stimulus } from '../../functions/annotate.ts';
import { waitingTick } from '../../functions/waiting-tick.ts';
import { annotateImages } from '../../shared/annotation/annotateImages.ts';
import { Annotation, annotationName } from '../../shared/annotation/annotation.ts';
import { unitsPerDay } from '../../shared/annotation/units.ts';
import { clients } from '../../shared/clients.ts';
import { NotYet } from '../../shared/once.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { Unprocessable } from '../../shared/unprocessable.ts';
import { keepWaiting } from '../../shared/waiting.ts';
import {
  forgetRequests,
  isUnconditionalWrite,
  rememberLog,
  rememberPublish,
  requestsAt,
  setFaults,
} from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';

const cloud = useLocalCloud();
const log = rememberLog();
let raw: Bucket;
let dependencies: AnnotateDependencies;
let last = 0;
let now = new Date('2026-11-23T10:00:00Z');

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('raw', { versioning: { enabled: true } });
  await storage.createBucket('derived');
  await storage.createBucket('state');
  raw = storage.bucket('raw');
  const records = recordsIn(storage, 'state');
  const annotateImage = annotateImages(await clients.vision());
  dependencies = {
    raw,
    derived: recordsIn(storage, 'derived'),
    records,
    annotateImage: async () => annotateImage,
    language: clients.language,
    annotator: clients.annotator,
    units: unitsPerDay(records, { vision: 1000, language: 1000 }, { now: () => now }),
    wait: (stimulus) =>
      keepWaiting(records, { topic: 'stimulus-arrived', key: stimulus.name, data: stimulus }, now),
    log,
    now: () => now,
  };
  // Colours need no model, and sentiment only a small one.
  await put('gazeline.yaml', 'annotate: { images: [colours], texts: [sentiment] }');
});
beforeEach(async () => {
  log.entries.length = 0;
  await setFaults(cloud);
  await forgetRequests(cloud);
});

async function put(name: string, content: string | Buffer): Promise<{ name: string; generation: string }> {
  const file = raw.file(name);
  await file.save(content, { resumable: false, contentType: 'image/png' });
  return { name, generation: String(file.metadata.generation) };
}
/** A picture that no other test has. */
function picture(width = 40, height = 30): Buffer {
  const png = new PNG({ width, height });
  png.data.fill(++last);
  return PNG.sync.write(png);
}
const image = async (name: string, content = picture()): Promise<Stimulus> => ({
  ...(await put(name, content)),
  kind: 'image',
});
const text = async (name: string, content: string | Buffer): Promise<Stimulus> => ({
  ...(await put(name, content)),
  kind: 'text',
});
const run = (stimulus: Stimulus, overrides: Partial<AnnotateDependencies> = {}) =>
  annotate(stimulus, { ...dependencies, ...overrides });
const annotationOf = async ({ name }: { name: string }) =>
  (await dependencies.derived.read(annotationName(name), Annotation))?.value;
async function asked(service: 'vision' | 'language'): Promise<number> {
  return (await requestsAt(cloud, service)).filter(({ method }) => method === 'POST').length;
}

test('a picture gets an annotation with who made it, from what, and the whole response', async () => {
  const content = picture(40, 30);
  const stimulus = await image('stimuli/ü %2F#1.png', content);
  await run(stimulus);
  const annotation = await annotationOf(stimulus);
  expect(annotation).toMatchObject({
    kind: 'image',
    features: ['colours'],
    image: { width: 40, height: 30 },
    annotatedAt: now.toISOString(),
    annotator: { service: 'vision.googleapis.com', version: 'v1', local: true, models: expect.any(Object) },
    stimulus: {
      bucket: 'raw',
      name: stimulus.name,
      generation: stimulus.generation,
      md5: createHash('md5').update(content).digest('hex'),
      size: content.length,
    },
    settings: { from: 'gazeline.yaml' },
    problems: [],
    response: { imagePropertiesAnnotation: { dominantColors: expect.any(Object) } },
  });
  expect(log.entries).toEqual([expect.objectContaining({ message: 'annotated', reused: false })]);
});

test('the same bytes under other names are never paid for twice', async () => {
  const content = picture();
  const stimuli = [await image('one.png', content), await image('folder/two.png', content)];
  for (const stimulus of stimuli) await run(stimulus);
  await run(stimuli[0] as Stimulus);
  expect(await asked('vision')).toBe(1);
  for (const stimulus of stimuli)
    expect(await annotationOf(stimulus)).toMatchObject({ stimulus: { name: stimulus.name } });
  expect(log.entries.map(({ reused }) => reused)).toEqual([false, true, true]);
});

test('the same bytes that arrive many times at once are paid for once', async () => {
  const content = picture();
  const stimuli: Stimulus[] = [];
  for (let i = 0; i < 5; i++) stimuli.push(await image(`at once ${i}.png`, content));
  for (const result of await Promise.allSettled(stimuli.map((stimulus) => run(stimulus))))
    if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(NotYet);
  for (const stimulus of stimuli) await run(stimulus);
  expect(await asked('vision')).toBe(1);
});

test('other features of the same bytes are another annotation', async () => {
  const content = picture();
  await run(await image('features/a.png', content));
  await put('features/gazeline.yaml', 'annotate: { images: [colours, crop-hints] }');
  const stimulus = await image('features/b.png', content);
  await run(stimulus);
  expect(await asked('vision')).toBe(2);
  expect(await annotationOf(stimulus)).toMatchObject({
    features: ['colours', 'crop-hints'],
    settings: { from: 'features/gazeline.yaml' },
  });
});

test('a feature that could not be had is told and not made up', async () => {
  await put('unknown/gazeline.yaml', 'annotate: { images: [landmarks] }');
  const stimulus = await image('unknown/a.png');
  await run(stimulus);
  expect(await annotationOf(stimulus)).toMatchObject({ areasOfInterest: [], problems: [expect.any(String)] });
});

test('a kind that is switched off costs nothing', async () => {
  await put('off/gazeline.yaml', 'annotate: { images: [] }');
  const stimulus = await image('off/a.png');
  await run(stimulus);
  expect(await annotationOf(stimulus)).toBeUndefined();
  expect(await asked('vision')).toBe(0);
});

test('broken settings are named in the annotation, and the default is used', async () => {
  await put('broken/gazeline.yaml', 'annotate: { texts: [smells] }');
  const stimulus = await text('broken/a.txt', 'A sunny day at the sea.');
  await run(stimulus);
  expect(await annotationOf(stimulus)).toMatchObject({
    features: ['entities', 'sentiment', 'syntax'],
    settings: { from: null, problem: expect.stringContaining('smells') },
  });
});

test.each<[string, string | Buffer]>([
  ['half a picture', picture().subarray(0, 20)],
  ['no picture', 'this is no picture'],
  ['nothing', ''],
])('%s is unprocessable, and Vision is not asked', async (what, content) => {
  const stimulus = await image(`bad/${what}.png`, Buffer.from(content));
  await expect(run(stimulus)).rejects.toThrow(Unprocessable);
  expect(await asked('vision')).toBe(0);
  expect(await annotationOf(stimulus)).toBeUndefined();
});

test('a picture that only Vision finds broken is unprocessable', async () => {
  const content = picture();
  content.fill(0xaa, 45, content.length - 12);
  await expect(run(await image('bad/pixels.png', content))).rejects.toThrow(Unprocessable);
  expect(await asked('vision')).toBe(1);
});

test('a picture beyond the limits of Vision is unprocessable, and Vision is not asked', async () => {
  const pixels = picture();
  pixels.writeUInt32BE(10_000, 16);
  pixels.writeUInt32BE(7_501, 20);
  await expect(run(await image('bad/pixels too many.png', pixels))).rejects.toThrow(/10000 × 7501 pixels/);
  const bytes = Buffer.concat([picture(), Buffer.alloc(20 * 1024 * 1024)]);
  await expect(run(await image('bad/too large.png', bytes))).rejects.toThrow(/20971520/);
  expect(await asked('vision')).toBe(0);
});

test('what was replaced or removed in the meantime is left alone', async () => {
  const stimulus = await image('replaced.png');
  const newer = await image('replaced.png');
  await run(stimulus);
  expect(await asked('vision')).toBe(0);
  await run(newer);
  expect(await annotationOf(newer)).toMatchObject({ stimulus: { generation: newer.generation } });
  await raw.file(newer.name).delete();
  await run(newer);
  expect(await asked('vision')).toBe(1);
});

test('an answer about bytes that were replaced while it was asked for is not kept', async () => {
  const stimulus = await image('changing.png');
  const content = picture();
  const changing = async (
    ...args: Parameters<Awaited<ReturnType<AnnotateDependencies['annotateImage']>>>
  ) => {
    const answer = await (await dependencies.annotateImage())(...args);
    await put('changing.png', content);
    return answer;
  };
  await expect(run(stimulus, { annotateImage: async () => changing })).rejects.toThrow(NotYet);
  expect(await annotationOf(stimulus)).toBeUndefined();
  await run(stimulus);
  expect(await annotationOf(stimulus)).toBeUndefined();
});

test('above the ceiling a stimulus waits, is asked for again on the next day, and is annotated then', async () => {
  const { records } = dependencies;
  const units = unitsPerDay(records, { vision: 1, language: 1 }, { now: () => now });
  now = new Date('2026-11-24T10:00:00Z');
  const [first, second] = [await image('ceiling/1.png'), await image('ceiling/2.png')];
  await run(first, { units });
  await run(second, { units });
  expect(await asked('vision')).toBe(1);
  expect(await annotationOf(second)).toBeUndefined();
  expect(log.entries.at(-1)).toMatchObject({ severity: 'WARNING', object: second.name });

  const publish = rememberPublish();
  await waitingTick({ time: new Date('2026-11-24T23:00:00Z') }, { records, publish, log });
  expect(publish.sent).toEqual([]);
  now = new Date('2026-11-25T00:07:00Z');
  await waitingTick({ time: now }, { records, publish, log });
  expect(publish.sent).toEqual([{ topic: 'stimulus-arrived', data: second }]);
  await run(Stimulus.parse(publish.sent[0]?.data), { units });
  expect(await annotationOf(second)).toMatchObject({ stimulus: { name: second.name } });
  await waitingTick({ time: new Date('2026-11-26T00:07:00Z') }, { records, publish, log });
  expect(publish.sent).toHaveLength(1);
});

test('what is known already costs no units, even above the ceiling', async () => {
  const content = picture();
  await run(await image('known/1.png', content));
  const stimulus = await image('known/2.png', content);
  const units = unitsPerDay(dependencies.records, { vision: 0, language: 0 }, { now: () => now });
  await run(stimulus, { units });
  expect(await annotationOf(stimulus)).toBeDefined();
});

test('a call that failed is not counted, comes again, and then works', async () => {
  now = new Date('2026-11-27T10:00:00Z');
  const units = unitsPerDay(dependencies.records, { vision: 1, language: 0 }, { now: () => now });
  const stimulus = await image('failing.png');
  await setFaults(cloud, { service: 'vision', kind: 'status', status: 500 });
  await expect(run(stimulus, { units })).rejects.not.toThrow(Unprocessable);
  await setFaults(cloud);
  await run(stimulus, { units });
  expect(await annotationOf(stimulus)).toBeDefined();
});

test('many pictures at once share requests of sixteen', async () => {
  const stimuli = await Promise.all(Array.from({ length: 20 }, (_, i) => image(`batch/${i}.png`)));
  const annotateImage = await dependencies.annotateImage();
  const bad = { uri: 'gs://raw/batch/none.png', features: ['colours' as const] };
  const results = await Promise.allSettled([
    ...stimuli.map(({ name }) => annotateImage({ uri: `gs://raw/${name}`, features: ['colours'] })),
    annotateImage(bad),
  ]);
  expect(results.map(({ status }) => status)).toEqual([...Array(20).fill('fulfilled'), 'rejected']);
  expect(await asked('vision')).toBe(2);
});

test.each([
  ['UTF-8', Buffer.from('🙂 Anna sails to Oslo. She is happy.')],
  ['UTF-8 with a mark', Buffer.from('\ufeff🙂 Anna sails to Oslo. She is happy.')],
  ['UTF-16', Buffer.from('\ufeff🙂 Anna sails to Oslo. She is happy.', 'utf16le')],
])('a text in %s gets words with their places', async (encoding, content) => {
  await put('texts/gazeline.yaml', 'annotate: { texts: [syntax, entities, sentiment] }');
  const stimulus = await text(`texts/${encoding}.txt`, content);
  await run(stimulus);
  const annotation = await annotationOf(stimulus);
  const plain = '🙂 Anna sails to Oslo. She is happy.';
  const words = annotation?.areasOfInterest.filter(({ kind }) => kind === 'word') ?? [];
  expect(words.map(({ label }) => label)).toEqual(expect.arrayContaining(['Anna', 'sails', 'Oslo', 'happy']));
  expect(words.map(({ label }) => label)).not.toContain('.');
  for (const { label, span } of annotation?.areasOfInterest ?? [])
    expect(plain.slice(span?.begin, span?.end)).toBe(label);
  expect(words.find(({ label }) => label === 'sails')?.about).toMatchObject({
    partOfSpeech: expect.stringMatching(/^[A-Z]+$/),
  });
  expect(annotation).toMatchObject({
    kind: 'text',
    annotator: { service: 'language.googleapis.com', local: true },
    response: { documentSentiment: expect.any(Object) },
  });
});

test('a text in an old encoding is unprocessable, and the reason says what to do', async () => {
  const stimulus = await text('texts/old.txt', Buffer.from('Für die Straße', 'latin1'));
  await expect(run(stimulus)).rejects.toThrow(/save it as UTF-8/);
  expect(await asked('language')).toBe(0);
});

test('a text that is longer than Natural Language takes is unprocessable', async () => {
  const stimulus = await text('texts/long.txt', 'word '.repeat(200_001));
  await expect(run(stimulus)).rejects.toThrow(Unprocessable);
  expect(await asked('language')).toBe(0);
});

test('a text costs a unit for each begun thousand characters and feature', async () => {
  now = new Date('2026-11-28T10:00:00Z');
  const units = unitsPerDay(dependencies.records, { vision: 0, language: 3 }, { now: () => now });
  await run(await text('units/a.txt', `It was good. ${'a'.repeat(1000)}`), { units });
  await run(await text('units/b.txt', 'It was fine.'), { units });
  const over = await text('units/c.txt', 'It was bad.');
  await run(over, { units });
  expect(await annotationOf(over)).toBeUndefined();
  expect(await asked('language')).toBe(2);
});

test('every write names a generation', async () => {
  const stimulus = await image('writes.png');
  await forgetRequests(cloud);
  await run(stimulus);
  const requests = await requestsAt(cloud, 'storage');
  expect(requests.filter(({ method }) => method !== 'GET').length).toBeGreaterThanOrEqual(4);
  expect(requests.filter(isUnconditionalWrite)).toEqual([]);
});
