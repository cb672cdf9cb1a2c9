import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { clients } from '../../../../../shared/clients.ts';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { follow, refusal } from './following.ts';

const cloud = useLocalCloud();
let drive: drive_v3.Drive;

beforeAll(async () => {
  drive = await clients.drive();
});
afterEach(async () => setFaults(cloud));

const start = async () => (await drive.changes.getStartPageToken()).data.startPageToken ?? '';
const make = async (name: string) => (await drive.files.create({ requestBody: { name } })).data.id;

test.each([
  [{}, { status: 400, reason: 'invalid', location: 'pageToken' }],
  [{ status: 404 }, { status: 404, reason: 'notFound' }],
  [{ status: 410 }, { status: 410, reason: 'gone' }],
])(
  'after the fault expirePageTokens %j, no older token is accepted, and a new one is',
  async (more, refused) => {
    const oldest = await start();
    await make('before');
    const newest = await start();
    await setFaults(cloud, { service: 'drive', kind: 'expirePageTokens', times: 1, ...more });
    for (const pageToken of [newest, newest, oldest]) {
      expect(await refusal(drive.changes.list({ pageToken }))).toMatchObject(refused);
    }
    const requestBody = { id: `channel-${newest}`, type: 'web_hook', address: cloud.origin };
    expect(await refusal(drive.changes.watch({ pageToken: newest, requestBody }))).toMatchObject(refused);
    // Though nothing has changed, the token that is given out now is another one.
    const feed = await follow(drive);
    expect(await feed.next()).toEqual([]);
    const id = await make('after');
    expect((await feed.next()).map(({ fileId }) => fileId)).toEqual([id]);
  },
);
