import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import {
  at,
  cpu,
  gpu,
  listed,
  noon,
  projectsOf,
  setMonitoring,
  setSeries,
  status,
  values,
  zone,
} from './kit.ts';

const cloud = useLocalCloud();
const received = 'compute.googleapis.com/instance/network/received_bytes_count';
const notebook = { zone, name: 'notebook', id: '1001' };
const training = { zone: 'us-central1-a', name: 'training', id: '1002' };
const sameName = { zone: 'us-central1-b', name: 'notebook', id: '1003' };
const minutes = (count: number, value: (minute: number) => number) =>
  Array.from({ length: count }, (_, minute) => [noon + minute * 60_000, value(minute)]);

/** Twenty minutes after noon, and the clock stands still. */
const still = { clock: { at: at(20), speed: 0 }, lateness: { 'compute.googleapis.com/': 0 } };
beforeAll(async () => {
  await setSeries(
    cloud,
    { metric: cpu, instance: notebook, points: minutes(20, (minute) => minute / 100) },
    { metric: cpu, instance: training, constant: { from: at(0), to: at(19), value: 0.9 } },
    { metric: cpu, instance: sameName, constant: { from: at(0), to: at(19), value: 0 } },
    { metric: received, instance: training, constant: { from: at(1), to: at(19), value: 600 } },
  );
});
beforeEach(() => setMonitoring(cloud, still));

test('a machine has a series for each metric, the latest point first, and its start is not in the interval', async () => {
  const filter = ' AND resource.type = "gce_instance" AND resource.labels.instance_id = "1001"';
  const { timeSeries = [], unit } = await listed(cloud, cpu, [10, 13], {}, filter);
  expect(timeSeries).toHaveLength(1);
  expect(timeSeries[0]).toMatchObject({
    metric: { type: cpu, labels: { instance_name: 'notebook' } },
    resource: { type: 'gce_instance', labels: { project_id: cloud.project, instance_id: '1001', zone } },
    metricKind: 'GAUGE',
    valueType: 'DOUBLE',
  });
  expect(unit).toBe('10^2.%');
  expect(timeSeries[0]?.points?.map(({ interval }) => interval?.endTime)).toEqual([at(13), at(12), at(11)]);
  expect(values(timeSeries[0])).toEqual([0.13, 0.12, 0.11]);
});

test('two machines of one name are two series, and filters find each in many ways', async () => {
  const ids = async (filter: string) => {
    const { timeSeries = [] } = await listed(cloud, cpu, [0, 19], { view: 'HEADERS' }, filter);
    expect(timeSeries.every(({ points }) => points === undefined)).toBe(true);
    return timeSeries.map(({ resource }) => resource?.labels?.instance_id);
  };
  expect(await ids('')).toEqual(['1001', '1002', '1003']);
  expect(await ids(' AND metric.labels.instance_name = "notebook"')).toEqual(['1001', '1003']);
  expect(await ids(` resource.label.zone="${zone}"`)).toEqual(['1001']);
  expect(await ids(' AND NOT resource.labels.zone = starts_with("us-")')).toEqual(['1001']);
  expect(await ids(' AND resource.labels.zone != "us-central1-b"')).toEqual(['1001', '1002']);
  expect(await ids(' AND resource.labels.instance_id = one_of("1002", "1003")')).toEqual(['1002', '1003']);
  expect(await ids(' AND metric.labels.instance_name = monitoring.regex.full_match("train.*")')).toEqual([
    '1002',
  ]);
  expect(await ids(' AND metric.labels.instance_name = has_substring("book")')).toEqual(['1001', '1003']);
  expect(
    await ids(' AND resource.labels.instance_id = "1001" OR resource.labels.instance_id = "1002"'),
  ).toEqual(['1001', '1002']);
  expect(await ids(' AND (resource.labels.zone = "nowhere")')).toEqual([]);
});

test('points are aligned in periods that count back from the end, and series are reduced to one', async () => {
  const aligned = (aligner: string, more: object = {}) =>
    listed(cloud, cpu, [0, 19], {
      'aggregation.alignmentPeriod': '300s',
      'aggregation.perSeriesAligner': aligner,
      ...more,
    });
  const { timeSeries: means = [] } = await aligned('ALIGN_MEAN');
  expect(means).toHaveLength(3);
  expect(means[0]?.points?.map(({ interval }) => interval?.endTime)).toEqual([at(19), at(14), at(9), at(4)]);
  expect(values(means[0]).map((value) => value.toFixed(3))).toEqual(['0.170', '0.120', '0.070', '0.025']);
  expect(values((await aligned('ALIGN_MAX')).timeSeries?.[0])).toEqual([0.19, 0.14, 0.09, 0.04]);
  expect(values((await aligned('ALIGN_MIN')).timeSeries?.[0])).toEqual([0.15, 0.1, 0.05, 0.01]);
  expect(values((await aligned('ALIGN_COUNT')).timeSeries?.[0])).toEqual([5, 5, 5, 4]);

  const { timeSeries: all = [] } = await aligned('ALIGN_MAX', {
    'aggregation.crossSeriesReducer': 'REDUCE_MAX',
  });
  expect(all).toHaveLength(1);
  expect(all[0]?.resource?.labels).toEqual({ project_id: cloud.project });
  expect(values(all[0])).toEqual([0.9, 0.9, 0.9, 0.9]);
  const { timeSeries: byName = [] } = await aligned('ALIGN_MEAN', {
    'aggregation.crossSeriesReducer': 'REDUCE_MEAN',
    'aggregation.groupByFields': ['metric.label.instance_name'],
  });
  expect(byName.map(({ metric }) => metric?.labels)).toEqual([
    { instance_name: 'notebook' },
    { instance_name: 'training' },
  ]);
  expect(values(byName[0])[0]?.toFixed(3)).toBe('0.085');
});

test('bytes are counted by the minute: they are added up, or become a rate, and none is moved', async () => {
  const aligned = (aligner: string) =>
    listed(cloud, received, [9, 19], {
      'aggregation.alignmentPeriod': '300s',
      'aggregation.perSeriesAligner': aligner,
    });
  const { timeSeries: raw = [] } = await listed(cloud, received, [18, 19]);
  expect(raw[0]?.points).toEqual([
    { interval: { startTime: at(18), endTime: at(19) }, value: { int64Value: '600' } },
  ]);
  expect(values((await aligned('ALIGN_SUM')).timeSeries?.[0])).toEqual([3000, 3000]);
  expect(values((await aligned('ALIGN_DELTA')).timeSeries?.[0])).toEqual([3000, 3000]);
  expect(values((await aligned('ALIGN_RATE')).timeSeries?.[0])).toEqual([10, 10]);
  expect(values((await aligned('ALIGN_MEAN')).timeSeries?.[0])).toEqual([600, 600]);
  await expect(aligned('ALIGN_NEXT_OLDER')).rejects.toThrow(
    'The aligner cannot be applied to metrics with kind DELTA and value type INT64.',
  );
});

test('pages hold so many points, a series goes on on the next one, and headers are counted by series', async () => {
  const seen: [string, number][] = [];
  let pages = 0;
  let pageToken: string | undefined;
  do {
    const page = await listed(cloud, cpu, [0, 19], { pageSize: 15, ...(pageToken ? { pageToken } : {}) });
    for (const series of page.timeSeries ?? [])
      for (const value of values(series)) seen.push([series.resource?.labels?.instance_id ?? '', value]);
    pageToken = page.nextPageToken ?? undefined;
    pages++;
  } while (pageToken);
  expect(pages).toBe(4);
  expect(seen).toHaveLength(57);
  expect(new Set(seen.filter(([id]) => id === '1001').map(([, value]) => value)).size).toBe(19);

  const first = await listed(cloud, cpu, [0, 19], { view: 'HEADERS', pageSize: 2 });
  expect(first.timeSeries).toHaveLength(2);
  const second = await listed(cloud, cpu, [0, 19], {
    view: 'HEADERS',
    pageSize: 2,
    pageToken: first.nextPageToken ?? '',
  });
  expect(second.timeSeries?.[0]?.resource?.labels?.instance_id).toBe('1003');
  expect(second.nextPageToken).toBeUndefined();
});

test('a point of a processor is seen four minutes late, as at Google, unless a test wants it otherwise', async () => {
  await setMonitoring(cloud, { clock: { at: at(20), speed: 0 } });
  const latest = async () => {
    const { timeSeries = [] } = await listed(
      cloud,
      cpu,
      [0, 60],
      {},
      ' AND resource.labels.instance_id = "1001"',
    );
    return timeSeries[0]?.points?.[0]?.interval?.endTime;
  };
  expect(await latest()).toBe(at(16));
  await setMonitoring(cloud, { clock: { at: at(21), speed: 0 } });
  expect(await latest()).toBe(at(17));
  await setMonitoring(cloud, { lateness: { 'compute.googleapis.com/': 600, [cpu]: 60 } });
  expect(await latest()).toBe(at(19));
  await setMonitoring(cloud, { clock: { at: at(3), speed: 0 } });
  expect((await listed(cloud, cpu, [0, 60])).timeSeries).toBeUndefined();
});

test('a hole has no points, a machine may have no series at all, and what is lost at random stays lost', async () => {
  await setMonitoring(cloud, {
    ...still,
    holes: [
      { metric: cpu, instance: 'training' },
      { instance: '1001', from: at(5), to: at(15) },
      { zone: 'us-central1-b', share: 0.5 },
    ],
  });
  const look = async () => (await listed(cloud, cpu, [0, 19])).timeSeries ?? [];
  const found = await look();
  expect(found.map(({ resource }) => resource?.labels?.instance_id)).toEqual(['1001', '1003']);
  expect(values(found[0])).toEqual([0.19, 0.18, 0.17, 0.16, 0.04, 0.03, 0.02, 0.01]);
  expect(values(found[1]).length).toBeGreaterThan(2);
  expect(values(found[1]).length).toBeLessThan(17);
  expect(await look()).toEqual(found);

  await setMonitoring(cloud, { ...still, unreachableRegions: ['us-central1'] });
  const { timeSeries = [], unreachable } = await listed(cloud, cpu, [0, 19]);
  expect(timeSeries.map(({ resource }) => resource?.labels?.instance_id)).toEqual(['1001']);
  expect(unreachable).toEqual(['us-central1']);
});

test('without an agent there is no series of a GPU, and Monitoring may say that it does not know the metric', async () => {
  expect(await listed(cloud, gpu, [0, 19])).toEqual({ unit: '%' });
  await setMonitoring(cloud, { ...still, unknownMetrics: ['agent.googleapis.com/'] });
  await expect(listed(cloud, gpu, [0, 19])).rejects.toThrow('Cannot find metric(s) that match type');
});

test('what is asked in a wrong way is refused in words', async () => {
  const refused = (more: object, filter = '') => expect(listed(cloud, cpu, [0, 19], more, filter)).rejects;
  await refused({ filter: '' }).toThrow('A filter must be specified');
  await refused({ filter: 'resource.type = "gce_instance"' }).toThrow('must specify a metric type');
  await refused({ filter: `metric.type = one_of("${cpu}", "${gpu}")` }).toThrow(
    'a single metric per request',
  );
  await refused({}, ' AND resource.labels.zone =').toThrow('Could not parse filter');
  await refused({}, ' AND resource.colour = "red"').toThrow('The field is not known');
  await refused({}, ' AND metadata.user_labels.lab = "x"').toThrow('The local Monitoring has no filters by');
  await refused({ 'aggregation.perSeriesAligner': 'ALIGN_MEAN' }).toThrow('alignmentPeriod');
  await refused({ 'aggregation.crossSeriesReducer': 'REDUCE_MEAN' }).toThrow('needs an aligner');
  await refused({
    'aggregation.perSeriesAligner': 'ALIGN_MEDIAN',
    'aggregation.alignmentPeriod': '60s',
  }).toThrow('"ALIGN_MEDIAN"');
  await refused({ 'interval.endTime': 'now' }).toThrow('interval.end_time');
  await refused({ 'interval.startTime': at(30) }).toThrow('interval.start_time');
  await refused({ filter: 'metric.type = "custom.googleapis.com/nobody/wrote"' }).toThrow(
    'Cannot find metric(s)',
  );
  await refused({ name: 'projects/another' }).toThrow('was not found');
});

test('it can refuse, fail and be slow', async () => {
  const look = () => status(listed(cloud, cpu, [0, 19]));
  const times = { times: 1 };
  await setFaults(
    cloud,
    { service: 'monitoring', kind: 'permissionDenied', ...times },
    { service: 'monitoring', kind: 'status', status: 500, ...times },
    { service: 'monitoring', kind: 'status', status: 504, ...times },
  );
  expect([await look(), await look(), await look(), await look()].sort()).toEqual([200, 403, 500, 504]);
  await setFaults(cloud, { service: 'monitoring', kind: 'latency', ms: 400, ...times });
  await expect(
    projectsOf(cloud).timeSeries.list(
      { name: `projects/${cloud.project}`, filter: `metric.type = "${cpu}"`, 'interval.endTime': at(1) },
      { timeout: 100 },
    ),
  ).rejects.toThrow();
  await setFaults(cloud);
  await sleep(400);
});

test('it describes its metrics and what they are of', async () => {
  const { metricDescriptors, monitoredResourceDescriptors } = projectsOf(cloud);
  const name = `projects/${cloud.project}`;
  const { data } = await metricDescriptors.list({
    name,
    filter: 'metric.type = starts_with("compute.googleapis.com/instance/cpu/")',
  });
  expect(data.metricDescriptors?.map(({ type }) => type)).toEqual([cpu]);
  const { data: one } = await metricDescriptors.get({ name: `${name}/metricDescriptors/${cpu}` });
  expect(one).toMatchObject({
    name: `${name}/metricDescriptors/${cpu}`,
    metadata: { samplePeriod: '60s', ingestDelay: '240s' },
    monitoredResourceTypes: ['gce_instance'],
  });
  expect(
    await status(metricDescriptors.get({ name: `${name}/metricDescriptors/compute.googleapis.com/no` })),
  ).toBe(404);
  const { data: resource } = await monitoredResourceDescriptors.get({
    name: `${name}/monitoredResourceDescriptors/gce_instance`,
  });
  expect(resource.labels?.map(({ key }) => key)).toEqual(['project_id', 'instance_id', 'zone']);
});
