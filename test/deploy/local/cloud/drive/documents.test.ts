import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { refusal, settled, until } from './following.ts';

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
  const pdf = drive.files.export({ fileId: slides.id, mimeType: 'application/pdf' });
  expect(await refusal(pdf)).toMatchObject({ status: 400, reason: 'badRequest' });
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
