import { beforeAll, expect, test } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { type Clients, clientsOf, insert, machine, quick, setCompute, until, wait } from '../compute/kit.ts';
import { at, cpu, gpu, listed, noon, setMonitoring, setSeries, values, zone } from './kit.ts';

const cloud = useLocalCloud();
let clients: Clients;
const written = 'compute.googleapis.com/instance/disk/write_bytes_count';
/** A minute is a second. */
const fast = { clock: { at: at(0), speed: 60 }, lateness: { 'compute.googleapis.com/': 0 } };
beforeAll(async () => {
  clients = clientsOf(cloud);
  await setCompute(cloud, quick);
});

const idOf = async (instance: string) =>
  String((await clients.instances.get({ project: cloud.project, zone, instance }))[0].id);
const seriesOf = async (metric: string, id: string) => {
  const filter = ` AND resource.labels.instance_id = "${id}"`;
  return (await listed(cloud, metric, [0, 100_000], {}, filter)).timeSeries?.[0];
};

test('what a machine really does is measured each minute of the clock, until it is stopped', async () => {
  await insert(cloud, clients, machine('busy', 'while :; do :; done'));
  await insert(cloud, clients, machine('quiet', 'sleep 1000'));
  await insert(cloud, clients, machine('pretends', 'while :; do :; done'));
  const [busy, quiet, pretends] = [await idOf('busy'), await idOf('quiet'), await idOf('pretends')];
  await setSeries(cloud, {
    metric: cpu,
    instance: { zone, name: 'pretends' },
    constant: { from: at(0), to: at(9), value: 0.01 },
  });
  await setMonitoring(cloud, fast);
  await until(async () => values(await seriesOf(cpu, busy)).length >= 3);
  const used = values(await seriesOf(cpu, busy));
  // This computer may have other things to do.
  expect(Math.max(...used)).toBeGreaterThan(0.05);
  expect(Math.max(...used)).toBeLessThanOrEqual(1);
  const unused = await seriesOf(cpu, quiet);
  expect(Math.min(...values(unused))).toBeLessThan(0.05);
  const ends = unused?.points?.map(({ interval }) => Date.parse(interval?.endTime ?? '') - noon) ?? [];
  expect(ends.every((end) => end > 0 && end % 60_000 === 0)).toBe(true);
  expect(unused?.metric?.labels).toEqual({ instance_name: 'quiet' });
  expect((await seriesOf(written, busy))?.points?.[0]?.interval?.startTime).toBeTruthy();
  // Of a machine whose series a test has set, nothing else is measured.
  await setMonitoring(cloud, { ...fast, clock: { at: at(100), speed: 60 } });
  expect(values(await seriesOf(cpu, pretends))).toEqual(Array(9).fill(0.01));

  const [{ latestResponse }] = await clients.instances.stop({
    project: cloud.project,
    zone,
    instance: 'busy',
  });
  await wait(cloud, clients, latestResponse.name ?? '');
  const count = values(await seriesOf(cpu, busy)).length;
  const others = values(await seriesOf(cpu, quiet)).length;
  await until(async () => values(await seriesOf(cpu, quiet)).length > others + 1);
  expect(values(await seriesOf(cpu, busy))).toHaveLength(count);
}, 60_000);

test('with a clock that runs a day in a second there is a point for every minute all the same', async () => {
  const id = await idOf('quiet');
  await setMonitoring(cloud, { ...fast, clock: { at: at(10_000), speed: 86_400 } });
  await until(async () => values(await seriesOf(cpu, id)).length > 500);
  const { points = [] } = (await seriesOf(cpu, id)) ?? {};
  const ends = points
    .map(({ interval }) => Date.parse(interval?.endTime ?? ''))
    .filter((end) => end > noon + 10_000 * 60_000);
  expect(ends.every((end, index) => index === 0 || (ends[index - 1] ?? 0) - end === 60_000)).toBe(true);
}, 60_000);

test('an agent on a machine writes what its GPU does, by the API', async () => {
  await setMonitoring(cloud, { ...fast, clock: { at: at(0), speed: 1 } });
  const agent = `
    meta() { curl -sf -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/$1"; }
    token=$(meta service-accounts/default/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
    curl -sf -H "Authorization: Bearer $token" -H 'content-type: application/json' --data @- \
      "\${CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING}v3/projects/$GOOGLE_CLOUD_PROJECT/timeSeries" <<END
    {"timeSeries":[{"metric":{"type":"${gpu}","labels":{"gpu_number":"0"}},
      "resource":{"type":"gce_instance","labels":{"instance_id":"$(meta id)","zone":"$(basename "$(meta zone)")"}},
      "points":[{"interval":{"endTime":"${at(0)}"},"value":{"doubleValue":12.5}}]}]}
END`;
  await insert(cloud, clients, machine('agent', agent));
  const id = await idOf('agent');
  await setMonitoring(cloud, { ...fast, lateness: { 'agent.googleapis.com/': 0 } });
  const seen = async () =>
    (await listed(cloud, gpu, [-1, 100], {}, ` resource.labels.instance_id="${id}"`)).timeSeries?.[0];
  expect(values(await until(seen))).toEqual([12.5]);
});
