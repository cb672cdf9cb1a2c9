import { constants, deflateRawSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { pages } from '../../../../../deploy/local/example/lighthouse.ts';
import { renderPage } from '../../../../../deploy/local/example/renderPage.ts';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';

const cloud = useLocalCloud();

/** The left half red, the right half blue. */
function redAndBlue(width: number, height: number): Buffer {
  const picture = new PNG({ width, height });
  for (let i = 0; i < picture.data.length; i += 4)
    picture.data.set((i / 4) % width < width / 2 ? [255, 0, 0, 255] : [0, 0, 255, 255], i);
  return PNG.sync.write(picture);
}

/** A small PNG that says in its header that it has `width` × `height` pixels, and inflates to many megabytes. */
function bomb(width: number, height: number, { interlaced = false, megabytes = 0 } = {}): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, interlaced ? 1 : 0], 8);
  const megabyte = deflateRawSync(Buffer.alloc(2 ** 20), { finishFlush: constants.Z_FULL_FLUSH });
  const packed = Buffer.concat([Buffer.from([0x78, 1]), ...Array<Buffer>(megabytes).fill(megabyte)]);
  const chunks = [chunk('IHDR', head), chunk('IDAT', packed), chunk('IEND')];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...chunks]);
}

function chunk(name: string, data = Buffer.alloc(0)): Buffer {
  const packed = Buffer.concat([Buffer.alloc(4), Buffer.from(name), data, Buffer.alloc(4)]);
  packed.writeUInt32BE(data.length, 0);
  packed.writeUInt32BE(crc32(packed.subarray(4, -4)), packed.length - 4);
  return packed;
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

type Answer = { error?: { code: number; message: string }; [field: string]: unknown };

async function post(body: unknown, path = '/v1/images:annotate') {
  const response = await fetch(cloud.origin + path, { method: 'POST', body: JSON.stringify(body) });
  const json = (await response.json()) as {
    responses?: Answer[];
    error?: { code: number; message: string; status: string };
  };
  return { status: response.status, ...json };
}

const annotate = (image: object, ...types: string[]) => ({
  image,
  features: types.map((type) => ({ type })),
});
const colours = (content: Buffer) => annotate({ content: content.toString('base64') }, 'IMAGE_PROPERTIES');

test.each(['png', 'jpeg'])('the colours of a red and blue %s are red and blue', async (format) => {
  const png = redAndBlue(320, 200);
  const pixels = { width: 320, height: 200, data: PNG.sync.read(png).data };
  const vision = await clients.vision();
  const image = { content: format === 'png' ? png : jpeg.encode(pixels, 95).data };
  const [{ responses }] = await vision.batchAnnotateImages({
    requests: [{ image, features: [{ type: 'IMAGE_PROPERTIES', maxResults: 2 }] }],
  });
  const { colors = [] } = responses?.[0]?.imagePropertiesAnnotation?.dominantColors ?? {};
  expect(colors).toHaveLength(2);
  const red = colors?.find(({ color }) => (color?.red ?? 0) > 240 && (color?.blue ?? 0) < 15);
  const blue = colors?.find(({ color }) => (color?.blue ?? 0) > 240 && (color?.red ?? 0) < 15);
  expect(red?.pixelFraction).toBeCloseTo(0.5, 1);
  expect(blue?.pixelFraction).toBeCloseTo(0.5, 1);
});

test('one broken image does not spoil the batch', async () => {
  const { status, responses } = await post({
    requests: [
      colours(redAndBlue(40, 40)),
      colours(Buffer.from('this is no picture')),
      colours(redAndBlue(40, 40).subarray(0, 90)),
      colours(redAndBlue(60, 40)),
    ],
  });
  expect(status).toBe(200);
  const badImage = { error: { code: 3, message: 'Bad image data.' } };
  expect(responses).toEqual([
    { imagePropertiesAnnotation: expect.anything() },
    badImage,
    badImage,
    { imagePropertiesAnnotation: expect.anything() },
  ]);
});

test('pictures that would fill the memory are refused by what their header says, or when they overflow', async () => {
  const second = chunk('IHDR', Buffer.from('000075300000753008020000 00'.replace(' ', ''), 'hex'));
  const honest = redAndBlue(10, 10);
  const kilobytesBefore = process.resourceUsage().maxRSS;
  const { responses } = await post({
    requests: [
      colours(bomb(100_000, 100_000)),
      colours(bomb(8, 8, { interlaced: true, megabytes: 1500 })),
      colours(Buffer.concat([honest.subarray(0, 33), second, honest.subarray(33)])),
    ],
  });
  expect(responses?.map(({ error }) => error)).toEqual([
    { code: 3, message: expect.stringContaining('10000000000 pixels') },
    { code: 3, message: 'Bad image data.' },
    { code: 3, message: 'Bad image data.' },
  ]);
  expect(process.resourceUsage().maxRSS - kilobytesBefore).toBeLessThan(700 * 1024);
});

test('other formats and features that no model here gives are named, beside what was answered', async () => {
  const gif = Buffer.from('GIF89a\x01\x00\x01\x00\x00\x00\x00;', 'latin1');
  const content = redAndBlue(40, 40).toString('base64');
  const { responses } = await post({
    requests: [colours(gif), annotate({ content }, 'WEB_DETECTION', 'IMAGE_PROPERTIES')],
  });
  expect(responses?.[0]).toEqual({ error: { code: 12, message: expect.stringContaining('GIF') } });
  expect(responses?.[1]).toEqual({
    imagePropertiesAnnotation: expect.anything(),
    error: { code: 12, message: 'WEB_DETECTION is not available from the local models' },
  });
});

test.each([
  ['no image', {}, 3],
  ['bytes and an address', { content: 'AAAA', source: { imageUri: 'gs://raw/a.png' } }, 3],
  ['an address on the web', { source: { imageUri: 'http://169.254.169.254/' } }, 7],
  ['a file of this machine', { source: { imageUri: 'file:///etc/passwd' } }, 3],
  ['an object that is not there', { source: { gcsImageUri: 'gs://raw/../../etc/passwd' } }, 7],
])('%s is an error of the image', async (_, image, code) => {
  const { responses } = await post({ requests: [annotate(image, 'IMAGE_PROPERTIES')] });
  expect(responses).toEqual([{ error: { code, message: expect.any(String) } }]);
});

test('an object is read from its bucket, by either of its two fields', async () => {
  const [bucket] = await (await clients.storage()).createBucket('pictures');
  await bucket
    .file('a b/rot und blau.png')
    .save(redAndBlue(40, 40), { preconditionOpts: { ifGenerationMatch: 0 } });
  const uri = 'gs://pictures/a b/rot und blau.png';
  const sources = [{ imageUri: uri }, { gcsImageUri: uri }];
  const { responses } = await post({
    requests: sources.map((source) => annotate({ source }, 'IMAGE_PROPERTIES')),
  });
  const found = {
    imagePropertiesAnnotation: { dominantColors: { colors: [expect.anything(), expect.anything()] } },
  };
  expect(responses).toEqual([found, found]);
});

const image = { content: 'AAAA' };
test.each([
  ['an unknown field', { requests: [{ image, feature: [] }] }, `Unknown name "feature" at 'requests[0]'`],
  ['an unknown feature', { requests: [annotate(image, 'OBJECTS')] }, `'requests[0].features[0].type'`],
  ['bytes that are not base64', { requests: [annotate({ content: '!' }, 'CROP_HINTS')] }, '.image.content'],
  ['a name of every object', { constructor: {} }, 'Unknown name'],
  ['an image without features', { requests: [{ image }] }, 'image and features'],
  ['17 images', { requests: Array(17).fill(annotate(image, 'CROP_HINTS')) }, 'Too many images'],
  ['10 MB', { requests: [annotate({ content: 'A'.repeat(10 * 2 ** 20) }, 'CROP_HINTS')] }, 'payload size'],
])('%s is refused with a 400', async (_, body, message) => {
  const { status, error } = await post(body);
  expect(status).toBe(400);
  expect(error).toMatchObject({
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: expect.stringContaining(message),
  });
});

test('files and operations in the background are refused by name', async () => {
  const file = { inputConfig: { content: 'AAAA', mimeType: 'application/pdf' }, features: [] };
  expect((await post({ requests: [file] }, '/v1/files:annotate')).responses).toEqual([
    { error: { code: 12, message: expect.stringContaining('PDF') } },
  ]);
  const { status, error } = await post({ requests: [] }, '/v1/images:asyncBatchAnnotate');
  expect([status, error?.status]).toEqual([501, 'UNIMPLEMENTED']);
});

test('the units that Google would count are noted, by feature', async () => {
  await fetch(`${cloud.origin}/_local/requests`, { method: 'DELETE' });
  const request = annotate(
    { content: redAndBlue(40, 40).toString('base64') },
    'IMAGE_PROPERTIES',
    'LOGO_DETECTION',
  );
  await post({ requests: [request, request] }, `/v1/projects/${cloud.project}/locations/eu/images:annotate`);
  const seen = await (await fetch(`${cloud.origin}/_local/requests?service=vision`)).json();
  expect(seen).toMatchObject({
    total: 1,
    requests: [
      { detail: { op: 'images.annotate', images: 2, features: { IMAGE_PROPERTIES: 2, LOGO_DETECTION: 2 } } },
    ],
  });
});

test('while a picture is looked at, the cloud answers others', async () => {
  const { png } = await renderPage(pages[2] ?? '');
  let done = false;
  const looking = post({
    requests: [annotate({ content: png.toString('base64') }, 'OBJECT_LOCALIZATION', 'TEXT_DETECTION')],
  }).then((answer) => {
    done = true;
    return answer;
  });
  let answered = 0;
  while (!done) {
    await fetch(`${cloud.origin}/_local/pending`);
    answered++;
  }
  const { responses } = await looking;
  expect(responses?.[0]?.error).toBeUndefined();
  expect(answered).toBeGreaterThan(20);
});
