import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { jobEvent } from '../../functions/job-event.ts';
import { jobStart } from '../../functions/job-start.ts';
import { machineSweep } from '../../functions/machine-sweep.ts';
import { clients } from '../../shared/clients.ts';
import { changeJob, readJobRecord } from '../../shared/jobs/changeJob.ts';
import { isEnd, type JobRecord } from '../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../shared/jobs/parseJob.ts';

import { costOf } from '../../shared/jobs/spent.ts';
import { submitJob } from '../../shared/jobs/submitJob.ts';
import type { Machines } from '../../shared/machines/machines.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { startupScript } from '../../shared/machines/startupScript.ts';
import { tpuNodes } from '../../shared/machines/tpuNodes.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { makeRepository } from '../deploy/google/machine/runMachine.ts';
import { until } from '../deploy/local/cloud/pubsub/receiver.ts';
import {
  type Client,
  nodeAt,
  preempt,
  queuedAt,
  quick,
  setTpu,
  untilNode,
  untilQueued,
  zone,
} from '../deploy/local/cloud/tpu/kit.ts';
import { forgetRequests, rememberLog, rememberPublish, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { operationsAt, sentTo, settingsOf } from '../shared/machines/tpuKit.ts';

const cloud = useLocalCloud();
let client: Client;
let dependencies: Parameters<typeof jobStart>[1] & Parameters<typeof machineSweep>[1];
let ahead = 0;
const now = () => Date.now() + ahead;

beforeAll(async () => {
  const storage = await clients.storage();
  for (const bucket of ['raw', 'derived', 'state']) await storage.createBucket(bucket);
  const tpu = await clients.tpu();
  client = tpu.projects.locations;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20)));
  const nodes = tpuNodes(cloud.project, tpu, { wait });
  const nothing = { machines: [], disks: [], unseen: [], wasSeen: () => true };
  dependencies = {
    records: recordsIn(storage, 'state'),
    raw: storage.bucket('raw'),
    derived: storage.bucket('derived'),
    publish: rememberPublish(),
    // Of other machines there are none in these tests.
    machines: async (kind) =>
      kind === 'tpu' ? nodes : ({ list: async () => nothing } as object as Machines),
    settings: settingsOf(cloud),
    prices: priceTable(),
    regions: ['us-west4'],
    allowFile: false,
    patience: 3000,
    deadline: Number.POSITIVE_INFINITY,
    random: Math.random,
    lab: 'eyes',
    lastWords: 0,
    bootTime: 600_000,
    rescue: 900_000,
    log: rememberLog(),
    now,
  };
});
beforeEach(async () => {
  ahead = 0;
  await setTpu(cloud, quick);
  await forgetRequests(cloud);
});
afterEach(() => setFaults(cloud));

/** Hears the reports that have come, as their messages would have it. */
async function hear(id: string): Promise<JobRecord> {
  const [files] = await dependencies.derived.getFiles({ prefix: `jobs/${id}/attempts/` });
  for (const { name, metadata } of files)
    if (name.includes('/reports/'))
      await jobEvent({ bucket: 'derived', name, generation: String(metadata.generation) }, dependencies);
  return read(id);
}
const sweep = () => machineSweep({ time: new Date(now()) }, dependencies);
const read = async (id: string) => (await readJobRecord(dependencies.records, id)) as JobRecord;

/** A job with a machine. */
async function start(key: string): Promise<JobRecord> {
  const job = parseJob(`
name: ${key}
repository: https://github.com/lab/analysis
script: fit.py
accelerators: [v5litepod-4]
spot: prefer
limits: { hours: 2, money: 20, attempts: 2 }
`);
  const { id } = await submitJob(dependencies.records, { job, key, owner: 'me@lab.org' }, new Date());
  await jobStart({ job: id }, dependencies);
  return read(id);
}
const isLeft = async (id: string) => {
  const { projects } = await clients.tpu();
  const parent = `projects/${cloud.project}/locations/-`;
  const [nodes, queued] = [
    await projects.locations.nodes.list({ parent }),
    await projects.locations.queuedResources.list({ parent }),
  ];
  return [...(nodes.data.nodes ?? []), ...(queued.data.queuedResources ?? [])]
    .map(({ name }) => name)
    .filter((name) => name?.includes(`/gazeline-${id}-`));
};

test('a job that asks for a TPU has one, as spot and for as long as its limits allow', async () => {
  const { id, state, attempts } = await start('runs');
  expect({ state, attempts }).toMatchObject({
    state: 'starting',
    attempts: [{ candidate: { kind: 'tpu', machineType: 'v5litepod-4', model: 'spot', zone } }],
  });
  const [created] = await sentTo(cloud, 'POST');
  const labels = { 'gazeline-job': id, 'gazeline-attempt': '1' };
  const metadata = { 'gazeline-seconds': '7200', 'gazeline-run': 'script' };
  expect(created?.detail).toMatchObject({
    body: { spot: {}, tpu: { nodeSpec: [{ node: { labels, metadata } }] } },
  });
  const [attempt] = attempts;
  const { createTime } = (await client.nodes.get(nodeAt(cloud, `gazeline-${id}-1`))).data;
  expect(attempt?.insertedAt).toBe(createTime);
  expect(Date.parse(attempt?.endsAt ?? '')).toBe(Date.parse(createTime ?? '') + 7200_000);
});

test('the machine of a job really does its work on a TPU node, brings the results and leaves nothing', async () => {
  const { url } = await makeRepository({
    'fit.sh': 'mkdir -p results; echo "$1 on $(hostname)" > results/answer',
  });
  const own = {
    ...dependencies,
    settings: {
      ...settingsOf(cloud),
      startupScript: await startupScript(),
      storage: cloud.origin,
      reportSeconds: 1,
    },
    allowFile: true,
  };
  const job = parseJob(
    `{name: works, repository: "${url}", command: bash fit.sh 42, accelerators: [v5litepod-4]}`,
    {
      allowFile: true,
    },
  );
  const { id } = await submitJob(own.records, { job, key: 'works', owner: 'me@lab.org' }, new Date());
  await jobStart({ job: id }, own);
  const record = await until(async () => {
    const heard = await hear(id);
    return isEnd(heard.state) ? heard : undefined;
  }, 30_000);
  expect(record).toMatchObject({
    state: 'succeeded',
    attempts: [{ outcome: 'succeeded', releasedAt: expect.any(String) }],
  });
  const [answer] = await own.derived.file(`jobs/${id}/results/answer`).download();
  expect(answer.toString()).toMatch(/^42 on /);
  expect(await isLeft(id)).toEqual([]);
  await rm(fileURLToPath(url), { recursive: true });
}, 60_000);

test('a TPU that does not end by itself is ended when the time of its job is over', async () => {
  const { id } = await read((await start('runs')).id);
  ahead = 7100_000;
  await changeJob(dependencies.records, id, {
    type: 'report',
    report: { job: id, attempt: 1, sequence: 1, phase: 'running', at: new Date(now()).toISOString() },
    at: new Date(now()).toISOString(),
  });
  await sweep();
  expect((await read(id)).state).toBe('running');
  expect(await operationsAt(cloud, /delete/)).toEqual([]);

  ahead = 7201_000;
  await sweep();
  const record = await read(id);
  expect(record).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('limit of its time or money'),
    attempts: [{ outcome: 'time-limit', releasedAt: expect.any(String) }],
  });
  expect(await isLeft(id)).toEqual([]);
  const bill = (await (await fetch(`${cloud.origin}/_local/tpu/bill`)).json()) as Bill[];
  const run = bill.find(({ name }) => name === `gazeline-${id}-1`);
  expect(record.attempts[0]?.releasedAt).toBe(run?.endedAt);
  const { dollars } = costOf(record, now());
  const hours = (Date.parse(run?.endedAt ?? '') - Date.parse(run?.startedAt ?? '')) / 3600_000;
  const billed = hours * (record.attempts[0]?.candidate?.price?.perHour ?? 0);
  // To the cent; and never less than the bill.
  expect(dollars).toBeGreaterThanOrEqual(billed);
  expect(dollars - billed).toBeLessThan(0.01);
});
type Bill = { name: string; startedAt: string; endedAt: string };

test.each([
  ['still ACTIVE', 'ACTIVE', null],
  ['SUSPENDED', 'SUSPENDED', 0],
])(
  'a job whose TPU is PREEMPTED while its queued resource is %s goes on with another, and nothing of the first is left',
  async (_, state, suspension) => {
    const { id } = await start(`preempted-${state.toLowerCase()}`);
    const name = `gazeline-${id}-1`;
    await setTpu(cloud, { ...quick, suspension });
    await preempt(cloud, name);
    await untilNode(cloud, client, name, 'PREEMPTED');
    await untilQueued(cloud, client, name, state);
    await sweep();
    expect(await read(id)).toMatchObject({
      state: 'queued',
      attempts: [{ outcome: 'preempted', releasedAt: expect.any(String) }],
    });
    expect(await isLeft(id)).toEqual([]);
    await jobStart({ job: id }, dependencies);
    expect(await read(id)).toMatchObject({ state: 'starting', attempts: [{ number: 1 }, { number: 2 }] });
    expect(await isLeft(id)).toEqual([
      nodeAt(cloud, `gazeline-${id}-2`).name,
      queuedAt(cloud, `gazeline-${id}-2`).name,
    ]);
    await changeJob(dependencies.records, id, { type: 'cancel', at: new Date(now()).toISOString() });
    await jobStart({ job: id }, dependencies);
    expect((await read(id)).state).toBe('cancelled');
    expect(await isLeft(id)).toEqual([]);
  },
);

test('a zone that is sold out is followed by the next, and nothing waits in the first', async () => {
  await setTpu(cloud, { ...quick, soldOut: [{ zone, fails: true }] });
  const { id, attempts } = await start('elsewhere');
  expect(attempts).toMatchObject([
    { tries: [{ zone, kind: 'stock-out' }], candidate: { zone: 'us-west4-b', model: 'spot' } },
  ]);
  expect(await isLeft(id)).toEqual([
    `projects/${cloud.project}/locations/us-west4-b/nodes/gazeline-${id}-1`,
    `projects/${cloud.project}/locations/us-west4-b/queuedResources/gazeline-${id}-1`,
  ]);
});
