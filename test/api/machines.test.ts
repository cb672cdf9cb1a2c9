import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { quick, setCompute, zone } from '../deploy/local/cloud/compute/kit.ts';
import { at, node, nodeAt, quick as quickTpu, setTpu, untilNode } from '../deploy/local/cloud/tpu/kit.ts';
import { openIdle } from '../functions/idleKit.ts';
import { setFaults } from '../kit.ts';
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
        kind: 'vm',
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

test('TPUs are listed as well, and what cannot be done with one is said', async () => {
  await setTpu(api.cloud, quickTpu);
  const { locations } = (await clients.tpu()).projects;
  const make = async (nodeId: string, labels: Record<string, string>) => {
    await locations.nodes.create({
      parent: at(api.cloud),
      nodeId,
      requestBody: node('sleep 100', { labels }),
    });
    await untilNode(api.cloud, locations, nodeId, 'READY');
  };
  await make('by-hand', {});
  await make('gazeline-fit-0a1b2c3d-2', { 'gazeline-lab': 'gazeline', 'gazeline-job': 'fit-0a1b2c3d' });
  const { json } = await api.ask('reader', 'GET', '/v1/machines');
  expect(json.items.filter(({ kind }: { kind: string }) => kind === 'tpu')).toMatchObject([
    {
      ...{ zone: 'us-west4-a', name: 'by-hand', status: 'READY', machineType: 'v5litepod-4' },
      ...{ perHour: expect.any(Number), upSeconds: expect.any(Number) },
      decision: { do: 'keep', reason: 'unwatched', why: expect.stringContaining('whether a TPU is in use') },
    },
    { name: 'gazeline-fit-0a1b2c3d-2', decision: null },
  ]);
  const said = async (name: string, verb: string, body?: object) => {
    const { status, json: problem } = await post(name, verb, body, 'us-west4-a');
    return [status, problem.detail];
  };
  const stays = /^us-west4-a\/by-hand is a TPU that no job of the lab made\. .*nothing to keep it from/;
  expect(await said('by-hand', 'stop')).toEqual([
    409,
    expect.stringMatching(
      /gcloud compute tpus tpu-vm delete by-hand --zone=us-west4-a;.*queued-resources delete/,
    ),
  ]);
  expect(await said('by-hand', 'keep', { until: day(1) })).toEqual([409, expect.stringMatching(stays)]);
  expect(await said('by-hand', 'prolong', {})).toEqual([409, expect.stringMatching(stays)]);
  expect(await said('gazeline-fit-0a1b2c3d-2', 'stop')).toEqual([
    409,
    'It is a TPU that works on the job fit-0a1b2c3d: cancel that.',
  ]);
  expect(await said('none', 'stop')).toEqual([404, 'There is no machine us-west4-a/none.']);
  for (const name of ['by-hand', 'gazeline-fit-0a1b2c3d-2'])
    await locations.nodes.delete(nodeAt(api.cloud, name));
});

test.each([
  {
    when: 'was never switched on',
    fault: { status: 403, reason: 'accessNotConfigured' },
    unseen: [],
    words: '',
  },
  {
    when: 'may not be asked',
    fault: { status: 403, reason: 'forbidden' },
    unseen: ['everywhere (TPUs)'],
    words: ' Whether it is a TPU is not known: their service did not answer.',
  },
])('where the service of TPUs $when, the other machines are listed', async ({ fault, unseen, words }) => {
  await setFaults(api.cloud, { service: 'tpu', kind: 'status', ...fault });
  const { json } = await api.ask('reader', 'GET', '/v1/machines');
  expect(json.items.length).toBeGreaterThan(2);
  expect(json.unseen).toEqual(unseen);
  expect((await post('none', 'stop')).json.detail).toBe(`There is no machine ${zone}/none.${words}`);
  await setFaults(api.cloud);
});
