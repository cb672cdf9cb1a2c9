import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { PNG } from 'pngjs';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { md5, refusal, settled, until } from './following.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;
const google = 'application/vnd.google-apps';

beforeAll(async () => {
  drive = await clients.drive();
});

async function dropped(
  disk: string,
  name: string,
  text: string,
): Promise<drive_v3.Schema$File & { id: string }> {
  await writeFile(join(cloud.dir, 'drive', disk), text);
  const find = async () =>
    (await drive.files.list({ q: `name = '${name}'`, fields: 'files' })).data.files?.[0];
  const file = await until(find);
  return { ...file, id: file.id ?? '' };
}
const exported = async (fileId: string, mimeType: string) =>
  (await drive.files.export({ fileId, mimeType }, { responseType: 'arraybuffer' })).data as ArrayBuffer;
const exportedText = async (fileId: string, mimeType: string) =>
  Buffer.from(await exported(fileId, mimeType)).toString();

test('a dropped document has a size and links, but no bytes, no checksum and no revision', async () => {
  const file = await dropped('Plan.gdoc', 'Plan', 'First <line>\nsecond & last');
  expect(file).toMatchObject({ mimeType: `${google}.document`, size: '26' });
  for (const field of ['md5Checksum', 'sha256Checksum', 'headRevisionId'])
    expect(file).not.toHaveProperty(field);
  expect(await refusal(drive.files.get({ fileId: file.id, alt: 'media' }))).toEqual({
    status: 403,
    reason: 'fileNotDownloadable',
    location: 'alt',
  });
  expect(await exportedText(file.id, 'text/plain')).toBe('First <line>\nsecond & last');
  expect(await exportedText(file.id, 'text/html')).toContain(
    '<p>First &lt;line&gt;</p><p>second &amp; last</p>',
  );
  const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
  expect(
    Buffer.from(await exported(file.id, word))
      .subarray(0, 2)
      .toString(),
  ).toBe('PK');
  const link = await fetch(file.exportLinks?.['text/markdown'] ?? '');
  expect(await link.text()).toBe('First <line>\nsecond & last');
});

test('an edited document has a new version', async () => {
  const before = await dropped('Draft.gdoc', 'Draft', 'one');
  await writeFile(join(cloud.dir, 'drive', 'Draft.gdoc'), 'two');
  await settled(cloud);
  expect(await exportedText(before.id, 'text/plain')).toBe('two');
  const { data } = await drive.files.get({ fileId: before.id, fields: 'version' });
  expect(Number(data.version)).toBe(Number(before.version) + 1);
});

test('a sheet is exported as lines with commas or tabs', async () => {
  const file = await dropped('Trials.gsheet', 'Trials', 'a,"b, ""c""",\r\n1,2,"x\ny"\n');
  expect(file.mimeType).toBe(`${google}.spreadsheet`);
  expect(await exportedText(file.id, 'text/csv')).toBe('a,"b, ""c""",\r\n1,2,"x\ny"\n');
  expect(await exportedText(file.id, 'text/tab-separated-values')).toBe('a\tb, "c"\t\r\n1\t2\tx y\n');
});

test('a document is made from uploaded text', async () => {
  const requestBody = { name: 'Made', mimeType: `${google}.document` };
  const media = { mimeType: 'text/plain', body: 'made of text' };
  const { data } = await drive.files.create({ requestBody, media });
  expect(await exportedText(data.id ?? '', 'text/plain')).toBe('made of text');
  const binary = { requestBody, media: { mimeType: 'application/pdf', body: 'x' } };
  expect(await refusal(drive.files.create(binary))).toMatchObject({ status: 400, reason: 'badRequest' });
});

test('what cannot be exported is refused with its reason', async () => {
  const slides = await dropped('Talk.gslides', 'Talk', 'text');
  const image = drive.files.export({ fileId: slides.id, mimeType: 'image/png' });
  expect(await refusal(image)).toMatchObject({ status: 400, reason: 'badRequest' });
  const blob = await dropped('plain.txt', 'plain.txt', 'text');
  const noDocument = drive.files.export({ fileId: blob.id, mimeType: 'text/plain' });
  expect(await refusal(noDocument)).toMatchObject({ status: 403, reason: 'fileNotExportable' });
});

test('an export above 10 MB is refused, its link is not', async () => {
  const large = await dropped('Large.gdoc', 'Large', 'x'.repeat(10 * 1024 * 1024 + 1));
  const refused = drive.files.export({ fileId: large.id, mimeType: 'text/plain' });
  expect(await refusal(refused)).toMatchObject({ status: 403, reason: 'exportSizeLimitExceeded' });
  const link = await fetch(large.exportLinks?.['text/plain'] ?? '');
  expect((await link.arrayBuffer()).byteLength).toBe(10 * 1024 * 1024 + 1);
});

const office = 'application/vnd.openxmlformats-officedocument';
/** The text of a file in a zip, as an office program is made of them. */
const partOf = (zip: ArrayBuffer, name: string) => {
  const bytes = Buffer.from(zip);
  const end = bytes.lastIndexOf('PK\u0005\u0006');
  for (let entry = bytes.readUInt32LE(end + 16); bytes.readUInt32LE(entry) === 0x02014b50; ) {
    const [size, ...lengths] = [
      bytes.readUInt32LE(entry + 20),
      ...[28, 30, 32].map((at) => bytes.readUInt16LE(entry + at)),
    ];
    const path = bytes.toString('utf8', entry + 46, entry + 46 + (lengths[0] ?? 0));
    const local = bytes.readUInt32LE(entry + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    if (path === name) return inflateRawSync(bytes.subarray(start, start + size)).toString();
    entry += 46 + lengths.reduce((sum, length) => sum + length, 0);
  }
  throw new Error(`No ${name}`);
};

test('a sheet is exported as a workbook with its texts and numbers', async () => {
  const file = await dropped('Book.gsheet', 'Book', 'name,size\n"a, b & c",12.5\n007,\n');
  const book = await exported(file.id, `${office}.spreadsheetml.sheet`);
  const texts = partOf(book, 'xl/sharedStrings.xml');
  for (const text of ['name', 'size', 'a, b &amp; c', '007']) expect(texts).toContain(`>${text}</t>`);
  const cells = partOf(book, 'xl/worksheets/sheet1.xml');
  expect(cells).toContain('<v>12.5</v>');
  expect(cells).toContain('r="A3"');
  expect(cells).not.toContain('r="A4"');
});

test('slides are exported as a PDF with a page for each', async () => {
  const file = await dropped('Show.gslides', 'Show', 'first\n---\nsecond\n---\nthird');
  const pdf = Buffer.from(await exported(file.id, 'application/pdf')).toString('latin1');
  expect(pdf).toMatch(/^%PDF-1\.\d[\s\S]*%%EOF\n$/);
  expect(pdf).toContain('/Count 3');
  expect(pdf).toContain('/MediaBox [0 0 960 540]');
  expect(pdf).toContain('DejaVuSans');
});

test('a document with an endless word becomes a PDF soon', async () => {
  const file = await dropped('Endless.gdoc', 'Endless', 'x'.repeat(100_000));
  const start = performance.now();
  expect((await exported(file.id, 'application/pdf')).byteLength).toBeGreaterThan(10_000);
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('a drawing is made of SVG or of text, and exported as SVG and as an image', async () => {
  const mimeType = `${google}.drawing`;
  const make = async (type: string, body: string) => {
    const requestBody = { name: `drawing of ${type}`, mimeType };
    return (await drive.files.create({ requestBody, media: { mimeType: type, body }, fields: '*' })).data;
  };
  const square = '<rect width="30" height="20" fill="#f00"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20">${square}</svg>`;
  const drawing = await make('image/svg+xml', svg);
  expect(Object.keys(drawing.exportLinks ?? {}).sort()).toEqual(['image/png', 'image/svg+xml']);
  expect(drawing).not.toHaveProperty('md5Checksum');
  expect(await exportedText(drawing.id ?? '', 'image/svg+xml')).toBe(svg);
  const png = PNG.sync.read(Buffer.from(await exported(drawing.id ?? '', 'image/png')));
  expect([png.width, png.height, [...png.data.subarray(0, 4)]]).toEqual([30, 20, [255, 0, 0, 255]]);
  const note = await make('text/plain', 'look <here>');
  expect(await exportedText(note.id ?? '', 'image/svg+xml')).toContain('>look &#60;here&#62;</text>');
  const image = Buffer.from(await exported(note.id ?? '', 'image/png'));
  expect(PNG.sync.read(image).data.some((byte) => byte !== 0)).toBe(true);
});

test('the same document exported at another time gives the same bytes', async () => {
  const text = 'one,1\ntwo,2';
  const types = {
    'Same.gdoc': [`${office}.wordprocessingml.document`, 'application/pdf', 'text/plain'],
    'Same.gsheet': [`${office}.spreadsheetml.sheet`, 'application/pdf', 'text/csv'],
    'Same.gslides': ['application/pdf'],
    'Same.gdraw': ['image/png', 'image/svg+xml'],
  };
  const all: { [what: string]: string } = {};
  for (const [disk, mimeTypes] of Object.entries(types)) {
    const name = disk.replace('Same.', 'Same as ');
    const { id } = await dropped(`${name}.${disk.split('.')[1]}`, name, text);
    for (const mimeType of mimeTypes)
      all[`${id} ${mimeType}`] = md5(Buffer.from(await exported(id, mimeType)));
  }
  // The times in a zip have a resolution of two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  for (const [what, hash] of Object.entries(all)) {
    const [id = '', mimeType = ''] = what.split(' ');
    expect([mimeType, md5(Buffer.from(await exported(id, mimeType)))]).toEqual([mimeType, hash]);
  }
});

test.each(['form', 'site', 'map'])(
  'a %s can be made, but has no links and cannot be exported',
  async (kind) => {
    const requestBody = { name: `A ${kind}`, mimeType: `${google}.${kind}` };
    const { data } = await drive.files.create({ requestBody, fields: '*' });
    expect(data).toMatchObject(requestBody);
    for (const field of ['exportLinks', 'md5Checksum', 'headRevisionId'])
      expect(data).not.toHaveProperty(field);
    const fileId = data.id ?? '';
    for (const mimeType of ['application/pdf', 'text/plain', 'application/zip']) {
      const refused = await refusal(drive.files.export({ fileId, mimeType }));
      expect(refused).toMatchObject({ status: 403, reason: 'fileNotExportable' });
    }
    const download = drive.files.get({ fileId, alt: 'media' });
    expect(await refusal(download)).toMatchObject({ status: 403, reason: 'fileNotDownloadable' });
  },
);
