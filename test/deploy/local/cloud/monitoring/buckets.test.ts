import { expect, test } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from '../storage/raw.ts';
import { at, listed, setMonitoring, values } from './kit.ts';

const cloud = useLocalCloud();
const metric = 'storage.googleapis.com/storage/v2/total_bytes';
const storage = () => `${cloud.origin}/storage/v1/b`;
const upload = async (bucket: string, name: string, bytes: number, more = '') => {
  const url = `${cloud.origin}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${name}${more}`;
  const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(bytes) });
  expect(answer.status).toBe(200);
};
/** The latest sample of each series, and when it was. */
const held = async (minutes: number) => {
  const { timeSeries = [] } = await listed(cloud, metric, [minutes - 60, minutes]);
  return Object.fromEntries(
    timeSeries.map((series) => {
      const { metric, resource } = series;
      const name = `${resource?.labels?.bucket_name} ${metric?.labels?.storage_class} ${metric?.labels?.type}`;
      return [name, values(series)[0]];
    }),
  );
};
const setTime = (minutes: number) => setMonitoring(cloud, { clock: { at: at(minutes), speed: 0 } });

test('what buckets hold is told by class and kind, measured once a day, and as late as at Google', async () => {
  const versioned = { location: 'europe-west4', versioning: { enabled: true } };
  await call('POST', storage(), { json: { name: 'versions', ...versioned } });
  await call('POST', storage(), { json: { name: 'plain' } });
  await call('POST', storage(), { json: { name: 'empty' } });
  await upload('versions', 'a', 100);
  await upload('versions', 'a', 30);
  await upload('plain', 'b', 7);
  await upload('plain', 'c', 5);
  await call('DELETE', `${storage()}/plain/o/b`);
  const changed = await call('POST', `${storage()}/plain/o/c/rewriteTo/b/plain/o/d`, {
    json: { storageClass: 'NEARLINE' },
  });
  expect(changed.status).toBe(200);

  await setTime(0);
  const first = {
    'versions REGIONAL live-object': 30,
    'versions REGIONAL noncurrent-object': 100,
    'plain MULTI_REGIONAL live-object': 5,
    'plain MULTI_REGIONAL soft-deleted-object': 7,
    'plain NEARLINE live-object': 5,
  };
  expect(await held(0)).toEqual(first);
  const { timeSeries = [] } = await listed(
    cloud,
    metric,
    [-60, 0],
    {},
    ' AND resource.labels.bucket_name = "versions"',
  );
  expect(timeSeries[0]?.resource).toMatchObject({ type: 'gcs_bucket', labels: { location: 'europe-west4' } });
  // Every five minutes; the last two are not to be seen yet.
  expect(values(timeSeries[0])).toHaveLength(10);

  await upload('plain', 'e', 1000);
  await setTime(11 * 60);
  expect(await held(11 * 60)).toEqual(first);
  await setTime(12 * 60 + 5);
  expect(await held(12 * 60 + 5)).toEqual(first);
  await setTime(12 * 60 + 15);
  expect(await held(12 * 60 + 15)).toEqual({ ...first, 'plain MULTI_REGIONAL live-object': 1005 });
});
