import { expect, test } from '@jest/globals';
import { clients, openDrive } from '../../../shared/clients.ts';
import { requestsAt } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';

const account = 'gazeline-drive@lab-of-gaze.iam.gserviceaccount.com';
process.env.GAZELINE_DRIVE_ACCOUNT = account;
const cloud = useLocalCloud();

test('Drive is asked in the name of the account that the folder is shared with, and nothing else is', async () => {
  await (await clients.storage()).createBucket('state');
  const { data } = await (await openDrive()).files.list({ fields: 'files(id)' });
  expect(data.files).toBeDefined();
  const tokens = await requestsAt(cloud, 'token');
  expect(tokens.map(({ url, detail }) => ({ url, detail }))).toEqual([
    { url: '/token' },
    {
      url: `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
      detail: { account, scope: ['https://www.googleapis.com/auth/drive'] },
    },
  ]);
});
