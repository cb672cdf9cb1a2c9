import { beforeAll, expect, test } from '@jest/globals';
import { quick, setCompute, zone } from '../deploy/local/cloud/compute/kit.ts';
import { openIdle } from '../functions/idleKit.ts';
import { useApi } from './useApi.ts';

const api = useApi();
let idle: Awaited<ReturnType<typeof openIdle>>;
const day = (days: number) => new Date(Date.now() + days * 24 * 3_600_000).toISOString().slice(0, 10);

beforeAll(async () => {
  idle = await openIdle(api.cloud);
  await setCompute(api.cloud, quick);
  await idle.setTime();
  await idle.start('a');
  await idle.start('b', { labels: { 'gazeline-protect': 'yes' } });
  const job = { 'gazeline-lab': 'gazeline', 'gazeline-job': 'fit-0a1b2c3d' };
  await idle.start('gazeline-fit-0a1b2c3d-1', { labels: job });
  await idle.sweep();
}, 60_000);

const post = (name: string, verb: string, body?: object, at = zone) =>
  api.ask('runner', 'POST', `/v1/machines/${at}/${name}/${verb}`, body ? { body } : {});

test('machines are listed with what they cost and what becomes of them', async () => {
  const { json } = await api.ask('reader', 'GET', '/v1/machines?pageSize=2');
  expect(json).toMatchObject({
    items: [
      {
        zone,
        name: 'a',
        status: 'RUNNING',
        perHour: expect.any(Number),
        decision: { do: 'warn', reason: 'idle' },
      },
      { name: 'b', decision: { do: 'keep', reason: 'protected' } },
    ],
    nextPageToken: expect.any(String),
    unseen: [],
  });
  const next = await api.ask('reader', 'GET', `/v1/machines?pageSize=2&pageToken=${json.nextPageToken}`);
  expect(next.json.items).toMatchObject([{ name: 'gazeline-fit-0a1b2c3d-1', decision: null }]);
});

test('one click puts off the end of a countdown, and who it was is known', async () => {
  const [before] = (await api.ask('reader', 'GET', '/v1/machines')).json.items;
  const { json } = await post('a', 'prolong', { minutes: 90 });
  const gained = Date.parse(json.stopAt) - Date.parse(before.decision.stopAt);
  expect(Math.abs(gained / 60_000 - 90)).toBeLessThanOrEqual(1);
  const [after] = (await api.ask('reader', 'GET', '/v1/machines')).json.items;
  expect(after.decision.stopAt).toBe(json.stopAt);
  expect((await post('b', 'prolong', {})).json).toMatchObject({
    status: 409,
    detail: 'It is not counted down: there is nothing to put off.',
  });
});

test('a machine is kept until a day, and is not stopped before', async () => {
  expect((await post('a', 'keep', { until: day(2) })).json).toEqual({ zone, name: 'a', until: day(2) });
  expect(await idle.labelsOf('a')).toMatchObject({ 'gazeline-protect-until': day(2) });
  const { status, json } = await post('a', 'stop');
  expect([status, json.detail]).toEqual([409, `It is not stopped: it is protected until ${day(2)}.`]);
  const { status: past, json: why } = await post('a', 'keep', { until: '2020-01-01' });
  expect([past, why.errors]).toEqual([400, [{ path: 'body.until', message: '2020-01-01 is over.' }]]);
});

test('what is protected, or works on a job, is not stopped; anything else is, and its disks stay', async () => {
  expect((await post('b', 'stop')).status).toBe(409);
  const job = await post('gazeline-fit-0a1b2c3d-1', 'stop');
  expect([job.status, job.json.detail]).toEqual([409, 'It works on the job fit-0a1b2c3d: cancel that.']);
  await idle.start('c');
  expect(await post('c', 'stop')).toMatchObject({
    status: 200,
    json: { zone, name: 'c', outcome: 'stopped' },
  });
  expect(await idle.statusOf('c')).toBe('TERMINATED');
  expect((await idle.changes()).filter((change) => change.includes('stop'))).toEqual([
    expect.stringMatching(/^instances\/c\/stop/),
  ]);
});

test('a machine that there is not, or in a zone that there is not, is a 404', async () => {
  expect((await post('none', 'stop')).status).toBe(404);
  expect((await post('a', 'stop', undefined, 'europe-nowhere1-z')).status).toBe(404);
  expect((await post('a', 'keep', { until: day(1) }, 'europe-nowhere1-z')).status).toBe(404);
});
