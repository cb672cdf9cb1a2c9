import { expect, test } from '@jest/globals';
import { clients } from '../../../shared/clients.ts';
import { newRecord } from '../../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../../shared/jobs/parseJob.ts';
import { candidatesOf } from '../../../shared/machines/candidates.ts';
import { computeEngine } from '../../../shared/machines/computeEngine.ts';
import { instanceRequest } from '../../../shared/machines/instanceBody.ts';
import { priceTable } from '../../../shared/machines/priceTable.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();
const job = parseJob('{name: n, repository: "https://h/r", command: c, accelerators: L4}');
const createdAt = '2026-01-01T00:00:00Z';
const record = newRecord({ id: 'n-0a1b2c3d', digest: 'd', job, owner: 'me', createdAt });

test('a zone that does not exist, or lacks this kind of machine, cannot be used; nothing is wrong with the request', async () => {
  const machines = computeEngine(cloud.project, await clients.compute());
  const [candidate] = candidatesOf(job, ['spot'], priceTable());
  if (!candidate) throw new Error('no candidate');
  const settings = {
    ...{ project: cloud.project, lab: 'l', rawBucket: 'raw', derivedBucket: 'derived' },
    ...{ serviceAccount: `machines@${cloud.project}.iam.gserviceaccount.com`, startupScript: 'true' },
  };
  const insertIn = (zone: string) => {
    const limits = { seconds: 600, round: 0, settings };
    return machines.insert(instanceRequest(record, 1, { ...candidate, zone }, limits), 1000);
  };
  const closed = { kind: 'zone-closed', scope: 'zone' };
  expect(await insertIn('mars-1-a')).toMatchObject(closed);
  expect(await machines.look('mars-1-a', 'gazeline-n-0a1b2c3d-1')).toBeUndefined();
  expect(await machines.remove('mars-1-a', 'gazeline-n-0a1b2c3d-1')).toEqual({ gone: true });
  expect(await insertIn('us-west3-a')).toMatchObject(closed);
});
