import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { openDrive } from '../../../shared/clients.ts';
import { getFile } from '../../../shared/drive/driveFile.ts';
import { openRange } from '../../../shared/drive/openRange.ts';
import { openStudy } from '../../functions/driveKit.ts';
import { setFaults } from '../../kit.ts';
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

/** What a server is sent of it. */
async function read(range: ReturnType<typeof openRange>): Promise<Buffer> {
  const passage = await range;
  let sent: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));
  const server = createServer((request, response) => {
    sent = buffer(request);
    sent.then(() => response.end()).catch(() => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    await passage.send(`http://127.0.0.1:${port}`, { method: 'PUT' });
    return await sent;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a range is just the bytes that were asked for', async () => {
  const { drive, file } = await stored();
  expect(await read(openRange(drive, file, 100, 300))).toEqual(content.subarray(100, 300));
  expect(await read(openRange(drive, file, 990, 1000))).toEqual(content.subarray(990));
});

// Without a look at what the answer says of itself, these come to light only when the whole file has been brought.
test.each([
  ['another range', 'wrongRange', /answered by 206 bytes \d+-\d+\/1000$/],
  ['the whole file', 'ignoreRange', /answered by 200 null$/],
])('a range that is answered with %s is refused at once', async (_what, kind, message) => {
  const { drive, file } = await stored();
  await setFaults(cloud, { service: 'drive', kind });
  const error = await openRange(drive, file, 100, 300).catch((thrown: unknown) => thrown);
  await setFaults(cloud);
  expect(error).toMatchObject({ name: 'WrongBytes', message: expect.stringMatching(message) });
});

test('a range that ends early is an error, and may be asked for again from there', async () => {
  const { drive, file } = await stored();
  await setFaults(cloud, { service: 'drive', kind: 'truncate' });
  const error = await read(openRange(drive, file, 100, 300)).catch((thrown: unknown) => thrown);
  await setFaults(cloud);
  expect(error).toMatchObject({
    name: 'Error',
    message: expect.stringMatching(/bytes came, and not 200$|aborted/),
  });
});
