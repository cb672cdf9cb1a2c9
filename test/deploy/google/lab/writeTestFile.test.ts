import { expect, test } from '@jest/globals';
import { writeTestFile } from '../../../../deploy/google/lab/writeTestFile.ts';
import { clients } from '../../../../shared/clients.ts';
import { useLocalCloud } from '../../../localCloud.ts';

const cloud = useLocalCloud();
const now = new Date('2026-11-26T08:30:00Z');

test('a small text is written into the folder', async () => {
  const options = { drive: cloud.origin, now };
  const name = 'gazeline-self-test-2026-11-26T08-30.txt';
  expect(await writeTestFile(cloud.studyFolder, 'a-token', options)).toBe(name);
  const { data } = await (await clients.drive()).files.list({ q: `'${cloud.studyFolder}' in parents` });
  expect(data.files).toMatchObject([{ name, mimeType: 'text/plain' }]);
});

test('where it may not be written, somebody has to be asked to drop a file', async () => {
  const options = { drive: cloud.origin, now };
  expect(await writeTestFile('a-folder-that-is-not-shared', 'a-token', options)).toBeUndefined();
});
