import { expect, test } from '@jest/globals';
import { openDrive } from '../../../shared/clients.ts';
import { readWhole } from '../../../shared/drive/content.ts';
import { getFile } from '../../../shared/drive/driveFile.ts';
import { openStudy } from '../../functions/driveKit.ts';
import { requestsAt, setFaults } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();
const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));

async function stored() {
  const study = await openStudy();
  const id = await study.file(study.dependencies.studyFolder, 'a.bin', content);
  const drive = await openDrive({ patience: 0, shared: undefined });
  const file = await getFile(drive, id);
  if (!file) throw new Error('The file is not there');
  return { drive, file };
}

test.each([
  ['a wrong byte', 'flipByte', /have the MD5/],
  ['fewer bytes', 'truncate', /bytes came of/],
])('a whole file that comes with %s is refused, and asked for once', async (_what, kind, message) => {
  const { drive, file } = await stored();
  await setFaults(cloud, { service: 'drive', kind });
  const error = await readWhole(drive, file).catch((thrown: unknown) => thrown);
  await setFaults(cloud);
  expect(error).toMatchObject({ name: 'WrongBytes', message: expect.stringMatching(message) });
  const asked = (await requestsAt(cloud, 'drive')).filter(
    ({ url }) => url.includes(file.id) && url.includes('alt=media'),
  );
  expect(asked).toHaveLength(1);
});
