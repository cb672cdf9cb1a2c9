import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import * as z from 'zod';
import { type CostTickDependencies, costTick } from '../../functions/cost-tick.ts';
import { functions } from '../../functions/index.ts';
import { CostRecord, costRecordName } from '../../shared/budget/costRecord.ts';
import { periodAt } from '../../shared/budget/period.ts';
import { savingsOf } from '../../shared/budget/savings.ts';
import { spendingOf } from '../../shared/budget/spending.ts';
import { storedBytes } from '../../shared/budget/storedBytes.ts';
import { clients } from '../../shared/clients.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { tpuNodes } from '../../shared/machines/tpuNodes.ts';
import {
  account,
  budgetOf,
  clientsOf,
  makeTopic,
  pullAll,
  punctual,
  setBilling,
} from '../deploy/local/cloud/billing/kit.ts';
import { quick, setCompute, zone } from '../deploy/local/cloud/compute/kit.ts';
import { setMonitoring } from '../deploy/local/cloud/monitoring/kit.ts';
import {
  at,
  node,
  nodeAt,
  quick as quickTpu,
  setTpu,
  zone as tpuZone,
  untilNode,
} from '../deploy/local/cloud/tpu/kit.ts';
import { forgetRequests, rememberPublish, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openGuard } from './guardKit.ts';

const cloud = useLocalCloud();
const hour = 3_600_000;
const table = priceTable();
let guard: Awaited<ReturnType<typeof openGuard>>;
let compute: ReturnType<typeof computeEngine>;
const clock = { ahead: 0 };
const now = () => Date.now() + clock.ahead;

beforeAll(async () => {
  // It takes seconds on a busy computer, in which the server would close connections that are about to be used.
  await import('@google-cloud/compute');
  const topic = await makeTopic(cloud, 'budget-notified');
  await setBilling(cloud, 'settings', punctual);
  const { data } = await clientsOf(cloud).budgets.create({
    parent: account,
    requestBody: budgetOf(100, topic),
  });
  process.env.GAZELINE_BUDGETS = data.name?.split('/').at(-1) ?? '';
  guard = await openGuard(cloud);
  compute = computeEngine(cloud.project, await clients.compute());
  await setCompute(cloud, { ...quick, shutdown: 3000 });
});
beforeEach(() => {
  clock.ahead = 0;
});
afterEach(async () => {
  await setFaults(cloud);
  await setCompute(cloud, { ...quick, shutdown: 3000 });
  await guard.forget();
});

/** As the clock fires it. */
const fire = () =>
  functions['cost-tick'].handle(
    {
      method: 'POST',
      path: '/',
      headers: {},
      body: Buffer.from(
        JSON.stringify({
          message: { messageId: String(Math.random()), data: 'e30=', publishTime: new Date().toISOString() },
          subscription: 's',
        }),
      ),
    },
    { name: 'cost-tick', logOf: () => guard.log },
  );
/** The same by a clock that can be moved; what it tells the guard stays here. */
async function tick(more: Partial<CostTickDependencies> = {}) {
  const publish = rememberPublish();
  await costTick({
    ...{ records: guard.records, publish, services: [compute], prices: table, budgets: ['b'] },
    stored: async () => [],
    ...{ amount: 100, currency: 'USD', dollarRate: 1, periodKind: 'month' as const, log: guard.log, now },
    ...more,
  });
  const [message] = publish.sent;
  return (message?.data as { estimate: { cost: number; forecastCost: number; perHour: number } } | undefined)
    ?.estimate;
}
const record = async () => (await guard.records.read(costRecordName, CostRecord))?.value as CostRecord;
const spending = async () => spendingOf(await record());
const vcpus = (count: number) => count * (table.vcpus['e2-standard']?.['europe-west4']?.[0] ?? 0);
const disks = (gb: number) => (gb * (table.disks['pd-balanced']['europe-west4'] ?? 0)) / 730;
/** With a disk whose price is known. */
const start = (name: string, more: object = {}) =>
  guard.start(name, {
    disks: [
      {
        boot: true,
        autoDelete: true,
        initializeParams: {
          sourceImage: 'projects/debian-cloud/global/images/family/debian-12',
          diskType: `zones/${zone}/diskTypes/pd-balanced`,
        },
      },
    ],
    ...more,
  });
const labels = (labels: Record<string, string>) => ({ labels });

test('what runs is counted by what Compute Engine says, and the guard hears of it', async () => {
  await start('notebook', labels({ 'gazeline-owner': 'ada', study: 'faces' }));
  await start('job', labels({ 'gazeline-owner': 'bo', 'gazeline-job': 'fit-0a1b2c3d' }));
  expect(await fire()).toEqual({ status: 204 });
  const { perHour, running, by } = await spending();
  const { disks: there } = await compute.listAll();
  const gb = there.reduce((sum, { sizeGb }) => sum + sizeGb, 0);
  expect(perHour).toBeCloseTo(vcpus(4) + disks(gb), 9);
  expect(
    running
      .filter(({ kind }) => kind === 'machine')
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['job', 'notebook']);
  expect(Object.keys(by.owner).filter(Boolean).sort()).toEqual(['ada', 'bo']);
  expect(by.label['study=faces']).toBeGreaterThan(0);
  const [message] = await pullAll(cloud, 'budget-notified');
  expect(message?.data).toEqual({
    estimate: {
      periodStart: periodAt(Date.now(), 'month').start,
      cost: expect.any(Number),
      currency: 'USD',
      perHour,
      forecastCost: expect.any(Number),
      boundCost: expect.any(Number),
      asOf: (await record()).asOf,
    },
  });
});

test('the estimate is believed by the guard, which raises its level, and the machine is stopped', async () => {
  await start('a');
  clock.ahead = 5 * hour;
  const estimate = await tick();
  guard.clock.now = now();
  expect(estimate?.cost).toBeGreaterThan(0);
  await guard.deliver({ attributes: {}, data: { estimate: { ...estimate, cost: 111 } } }, { amount: 100 });
  expect((await guard.guard()).level).toBe('stop-all');
  expect(await guard.statusOf('a')).toBe('TERMINATED');
});

test('ticks that come twice, together, late or after a day cost what ran, and no more', async () => {
  await start('a');
  await tick();
  const since = Date.parse((await compute.look(zone, 'a'))?.startedAt ?? '');
  clock.ahead = hour;
  await Promise.all([tick(), tick(), tick()]);
  await tick();
  clock.ahead = 26 * hour;
  await tick();
  const { by, asOf } = await record();
  expect(by.kind.machine).toBeCloseTo(((Date.parse(asOf) - since) / hour) * vcpus(2), 9);
});

test('a machine that was stopped costs until then, and one that was deleted until the service says', async () => {
  await start('stopped');
  await start('deleted');
  await tick();
  await compute.stop(zone, 'stopped', { discardLocalSsd: false });
  const { at = '', startedAt = '' } = await compute.remove(zone, 'deleted');
  const stopped = await compute.look(zone, 'stopped');
  clock.ahead = 10 * hour;
  await tick();
  clock.ahead = 12 * hour;
  await tick();
  const { by, guessed, items } = await record();
  const ran = (from = '', to = '') => (Date.parse(to) - Date.parse(from)) / hour;
  const [end = at] = await compute.endsOf(zone, 'deleted');
  const hours = ran(stopped?.startedAt, stopped?.stoppedAt) + ran(startedAt, end);
  expect(by.kind.machine).toBeCloseTo(hours * vcpus(2), 9);
  expect(Object.values(items).filter(({ kind }) => kind === 'machine')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'stopped', state: 'stopped' }),
      expect.objectContaining({ name: 'deleted', state: 'gone' }),
    ]),
  );
  // Its disk went with it.
  expect(guessed).toBe(0);
  const gone = Object.values(items).find(({ kind, name }) => kind === 'disk' && name === 'deleted');
  expect(gone).toMatchObject({ state: 'gone', until: end });
});

test('22. orphans: a disk that no machine uses any more is reported with what it costs in a month, and kept', async () => {
  const { disks: there } = await compute.listAll();
  const initializeParams = {
    sourceImage: 'projects/debian-cloud/global/images/family/debian-12',
    diskType: `zones/${zone}/diskTypes/pd-balanced`,
  };
  await start('left', { disks: [{ boot: true, autoDelete: false, initializeParams }] });
  await compute.remove(zone, 'left');
  await tick();
  const disk = (await compute.listAll()).disks.find(({ name }) => name === 'left');
  const month = (disk?.sizeGb ?? 0) * (table.disks['pd-balanced']['europe-west4'] ?? 0);
  expect(savingsOf(await spending())).toEqual([
    expect.objectContaining({
      what: `${zone}/left`,
      words: `${disk?.sizeGb} GB of pd-balanced, $${month.toFixed(2)} a month`,
      by: `gcloud compute disks delete left --zone ${zone}`,
    }),
  ]);
  expect(await requestsAt(cloud, 'compute')).not.toContainEqual(
    expect.objectContaining({ method: 'DELETE', url: expect.stringContaining('/disks/') }),
  );
  await compute.removeDisk({ zone, name: 'left' });
  expect((await compute.listAll()).disks).toHaveLength(there.length);
});

test('no answer is not a no: in a zone that is not reachable it runs on, and that is said', async () => {
  await start('a');
  await tick();
  await setCompute(cloud, { ...quick, unreachableZones: [zone] });
  clock.ahead = 3 * hour;
  const estimate = await tick();
  const seen = await spending();
  expect(seen.assumed).toBeGreaterThan(2.9 * vcpus(2));
  expect(estimate?.cost).toBe(seen.estimate);
  expect(seen.unknown).toEqual([`${zone} did not answer: what ran there is taken to run on`]);
  await setCompute(cloud, quick);
  await tick();
  expect(await spending()).toMatchObject({ assumed: 0, unknown: [] });
  expect((await record()).by.kind.machine).toBeGreaterThan(2.9 * vcpus(2));
});

test('while nothing can be listed the tick is not lost, and nothing is taken for gone', async () => {
  await start('a');
  await tick();
  await setFaults(cloud, { service: 'compute', kind: 'permissionDenied', path: 'aggregated/instances' });
  clock.ahead = hour;
  await tick();
  expect((await spending()).unknown).toEqual([expect.stringContaining('everywhere did not answer')]);
  expect((await record()).items).toEqual(
    expect.objectContaining({
      [Object.keys((await record()).items).find((key) => key.startsWith(`${zone}/a@`)) ?? '']:
        expect.objectContaining({ state: 'running' }),
    }),
  );
});

test('what Google bills raises the estimate by what it is ahead, and the difference is kept', async () => {
  await start('a');
  await tick();
  // Nothing is billed but this.
  await setBilling(cloud, 'settings', { ...punctual, isMetering: false });
  await setBilling(cloud, 'spend', { amount: 40 });
  await setBilling(cloud, 'clock', { advance: 3600 });
  const [said] = (await pullAll(cloud, 'budget-notified')).filter(({ data }) => 'costAmount' in data);
  expect(said?.data.costAmount).toBe(40);
  const budgetId = said?.attributes.budgetId ?? '';
  guard.clock.now = Date.now();
  await guard.deliver(said as never, { budgets: [budgetId] });
  const first = await tick({ budgets: [budgetId] });
  expect(first?.cost).toBeCloseTo(40, 6);
  clock.ahead = 2 * hour;
  const later = await tick({ budgets: [budgetId] });
  expect(later?.cost).toBeGreaterThan(40 + 1.9 * vcpus(2));
  const { billed, counted } = await spending();
  expect(billed).toMatchObject({ cost: 40, difference: expect.closeTo(40, 1) });
  expect(counted).toBeLessThan(1);
});

test('what the buckets hold is counted by class and place, older versions and deleted ones as well', async () => {
  const storage = await clients.storage();
  const [raw] = await storage.createBucket('raw', {
    location: 'europe-west4',
    versioning: { enabled: true },
  });
  const gigabyte = 2 ** 30;
  await raw.file('video.mp4').save(Buffer.alloc(4000), { resumable: false });
  await raw.file('video.mp4').save(Buffer.alloc(1000), { resumable: false });
  const [cold] = await storage.createBucket('cold', { location: 'us' });
  await cold
    .file('old.tar')
    .save(Buffer.alloc(7000), { metadata: { storageClass: 'COLDLINE' }, resumable: false });
  await cold.file('gone.tar').save(Buffer.alloc(500), { resumable: false });
  await cold.file('gone.tar').delete();
  const monitoring = await clients.monitoring();
  const stored = (now: number) => storedBytes(monitoring, { project: cloud.project, now });
  const settings = () => ({ clock: { at: new Date(now()).toISOString(), speed: 0 } });
  // A sample is taken every five minutes.
  clock.ahead = hour / 6;
  await setMonitoring(cloud, { ...settings(), lateness: { 'storage.googleapis.com/': 0 } });
  await forgetRequests(cloud);
  await tick({ stored });
  const { storage: list } = table;
  const month = (bytes: number, price = 0) => (bytes / gigabyte) * (price ?? 0);
  const rate =
    (month(5000, list.standard['europe-west4'] ?? 0) +
      month(500, list.standard.us ?? 0) +
      month(7000, list.coldline.us ?? 0)) /
    730;
  const seen = await spending();
  const held = seen.running.filter(({ kind, name }) => kind === 'storage' && name !== 'state');
  expect(held.map(({ words }) => words).sort()).toEqual([
    '1000 bytes of standard storage in europe-west4',
    '3.91 KiB of standard storage in europe-west4, older versions',
    '500 bytes of standard storage in us, deleted and kept for a while',
    '6.84 KiB of coldline storage in us',
  ]);
  const perHour = () => held.reduce((sum, { perHour = 0 }) => sum + perHour, 0);
  expect(perHour()).toBeCloseTo(rate, 15);

  // It is asked once an hour, and what is measured once a day costs all the time.
  clock.ahead = hour;
  await tick({ stored });
  expect(await requestsAt(cloud, 'monitoring')).toHaveLength(1);
  expect((await record()).by.kind.storage).toBeGreaterThan(0);
  clock.ahead = 2 * hour;
  await setFaults(cloud, { service: 'monitoring', kind: 'status', status: 500 });
  await tick({ stored: (now) => storedBytes(monitoring, { project: cloud.project, now, patience: 100 }) });
  expect((await spending()).unknown).toEqual([
    'nobody says what the buckets hold: it is taken to be as it was',
  ]);
  expect((await spending()).assumed).toBeGreaterThan(0);
  // An empty list does not empty buckets either.
  await tick({ stored: async () => [] });
  expect((await spending()).perHour).toBeGreaterThanOrEqual(rate);
  await setFaults(cloud);
  clock.ahead = 3 * hour;
  await setMonitoring(cloud, { ...settings(), lateness: { 'storage.googleapis.com/': 0 } });
  await tick({ stored });
  expect(await spending()).toMatchObject({ assumed: 0, unknown: [] });
});

test('a TPU that somebody made by hand is counted, and runs on where Cloud TPU does not answer', async () => {
  await setTpu(cloud, quickTpu);
  const google = (await clients.tpu()).projects.locations;
  const body = node('sleep 100', { labels: { 'gazeline-owner': 'ada' } });
  await google.nodes.create({ parent: at(cloud, tpuZone), nodeId: 'by-hand', requestBody: body });
  await untilNode(cloud, google, 'by-hand', 'READY');
  const services = [compute, tpuNodes(cloud.project, await clients.tpu())];
  await tick({ services });
  const { running, by } = await spending();
  expect(running).toEqual([
    expect.objectContaining({ kind: 'tpu', name: 'by-hand', perHour: expect.any(Number) }),
  ]);
  expect(by.owner.ada).toBeGreaterThan(0);
  await setFaults(cloud, { service: 'tpu', kind: 'permissionDenied' });
  clock.ahead = hour;
  await tick({ services });
  expect((await spending()).unknown).toEqual([
    'everywhere (TPUs) did not answer: what ran there is taken to run on',
  ]);
  expect((await spending()).perHour).toBe(running[0]?.perHour);
  await setFaults(cloud);
  await google.nodes.delete(nodeAt(cloud, 'by-hand'));
});

test('units of Vision and Natural Language are read from the records of their days', async () => {
  const day = new Date().toISOString().slice(0, 10);
  await guard.records.write(`units/${day}.json`, { vision: 100 }, '0');
  await tick();
  expect((await spending()).units).toMatchObject({
    vision: 100,
    language: 0,
    cost: expect.closeTo(0.225, 9),
  });
  await guard.records.update(`units/${day}.json`, z.record(z.string(), z.number()), () => ({
    vision: 300,
    language: 50,
  }));
  await tick();
  expect((await spending()).units).toMatchObject({ vision: 300, language: 50 });
});

test('in another currency the guard is told in that, and nothing as long as nobody has said the rate', async () => {
  await start('a');
  clock.ahead = 10 * hour;
  const dollars = await tick();
  clock.ahead += 1;
  const euros = await tick({ currency: 'EUR', dollarRate: 0.5 });
  expect((euros?.cost ?? 0) * 2).toBeCloseTo(dollars?.cost ?? 0, 4);
  guard.log.entries.length = 0;
  clock.ahead += 1;
  expect(await tick({ currency: 'EUR', dollarRate: undefined })).toBeUndefined();
  expect(guard.log.entries).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('GAZELINE_DOLLAR_RATE') }),
  );
  clock.ahead += 1;
  expect(await tick({ budgets: [], amount: undefined })).toBeUndefined();
});
