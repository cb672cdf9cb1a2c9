import { beforeEach, expect, test } from '@jest/globals';
import type { monitoring_v3 } from 'googleapis/build/src/apis/monitoring/v3.js';
import { requestsAt } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { at, gpu, listed, projectsOf, setMonitoring, status, values, zone } from './kit.ts';

const cloud = useLocalCloud();
const heartbeat = 'custom.googleapis.com/gazeline/heartbeat';
const clockAt = (minutes: number) => setMonitoring(cloud, { clock: { at: at(minutes), speed: 0 } });
beforeEach(() => clockAt(0));

type Series = monitoring_v3.Schema$TimeSeries;
const one = (type: string, minutes: number, value: object, more: Partial<Series> = {}): Series => ({
  metric: { type, labels: {} },
  resource: { type: 'gce_instance', labels: { instance_id: '1001', zone } },
  points: [{ interval: { endTime: at(minutes) }, value }],
  ...more,
});
const create = (...timeSeries: Series[]) =>
  projectsOf(cloud).timeSeries.create({ name: `projects/${cloud.project}`, requestBody: { timeSeries } });

test('what an agent writes of a GPU is seen a few seconds later, and it names the machine by its id', async () => {
  const labels = { gpu_number: '0', model: 'NVIDIA L4', uuid: 'GPU-1' };
  const written = one(gpu, 0, { doubleValue: 37.5 }, { metric: { type: gpu, labels } });
  expect((await create(written)).data).toEqual({});
  expect((await listed(cloud, gpu, [-10, 10])).timeSeries).toBeUndefined();
  await clockAt(0.1);
  const { timeSeries = [] } = await listed(cloud, gpu, [-10, 10], {}, ' resource.labels.instance_id="1001"');
  expect(timeSeries).toMatchObject([
    {
      metric: { type: gpu, labels },
      resource: { type: 'gce_instance', labels: { project_id: cloud.project, instance_id: '1001', zone } },
    },
  ]);
  expect(values(timeSeries[0])).toEqual([37.5]);
  const seen = await requestsAt(cloud, 'monitoring');
  expect(seen.find(({ method, detail }) => method === 'POST' && detail)?.detail).toMatchObject({
    op: 'timeSeries.create',
    body: { timeSeries: [written] },
  });
});

test('a metric that nobody has described is described by the first point, and later ones must be like it', async () => {
  await create(one(heartbeat, 0, { int64Value: '7' }, { metric: { type: heartbeat, labels: { job: 'a' } } }));
  const name = `projects/${cloud.project}/metricDescriptors/${heartbeat}`;
  const { data } = await projectsOf(cloud).metricDescriptors.get({ name });
  expect(data).toMatchObject({
    type: heartbeat,
    metricKind: 'GAUGE',
    valueType: 'INT64',
    labels: [{ key: 'job' }],
  });
  await expect(create(one(heartbeat, 1, { doubleValue: 7 }))).rejects.toThrow('must be INT64, but is DOUBLE');
});

test('points come in order, not too often, and neither from the past nor from the future', async () => {
  const type = 'custom.googleapis.com/gazeline/order';
  const write = (minutes: number) => create(one(type, minutes, { boolValue: true }));
  await write(0);
  await expect(write(0)).rejects.toThrow('Points must be written in order');
  await expect(write(-1)).rejects.toThrow('Points must be written in order');
  await expect(write(0.05)).rejects.toThrow('more frequently than the maximum sampling period');
  await expect(write(6)).rejects.toThrow('more than 5m0s in the future');
  await write(0.1);
  await clockAt(60 * 26);
  await expect(write(1)).rejects.toThrow('more than 25h0m0s in the past');
});

test('of a request that is wrong in part the rest is written, and the refusal says which part', async () => {
  const right = one('custom.googleapis.com/gazeline/part', 0, { doubleValue: 1 });
  const request = create(
    one('compute.googleapis.com/instance/cpu/utilization', 0, { doubleValue: 1 }),
    right,
    right,
    one(
      'custom.googleapis.com/x',
      0,
      { doubleValue: 1 },
      { resource: { type: 'gce_instance', labels: { zone } } },
    ),
    one('custom.googleapis.com/x', 0, { doubleValue: 1 }, { resource: { type: 'k8s_pod', labels: {} } }),
  );
  await expect(request).rejects.toThrow(
    /cannot be written by users.*timeSeries\[0\]; .*Duplicate TimeSeries.*timeSeries\[2\]; .*Missing resource label: instance_id.*timeSeries\[3\]; .*"k8s_pod"/,
  );
  await clockAt(1);
  expect((await listed(cloud, 'custom.googleapis.com/gazeline/part', [-1, 1])).timeSeries).toHaveLength(1);
  expect(await status(create())).toBe(400);
  expect(await status(create({ ...right, pionts: [] } as Series))).toBe(400);
});

test('a counter grows, also over its new beginning', async () => {
  const type = 'custom.googleapis.com/gazeline/units';
  for (const [start, end, value] of [
    [0, 1, 10],
    [0, 2, 30],
    [2.5, 3, 5],
    [2.5, 4, 6],
  ] as const) {
    await clockAt(end);
    await create(
      one(
        type,
        end,
        {},
        {
          metricKind: 'CUMULATIVE',
          points: [
            { interval: { startTime: at(start), endTime: at(end) }, value: { int64Value: String(value) } },
          ],
        },
      ),
    );
  }
  await clockAt(5);
  const late = { interval: { startTime: at(3), endTime: at(5) }, value: { int64Value: '1' } };
  await expect(create(one(type, 5, {}, { metricKind: 'CUMULATIVE', points: [late] }))).rejects.toThrow(
    'an older start time',
  );
  const aligned = (aligner: string) =>
    listed(cloud, type, [0, 4], {
      'aggregation.alignmentPeriod': '240s',
      'aggregation.perSeriesAligner': aligner,
    });
  expect(values((await aligned('ALIGN_DELTA')).timeSeries?.[0])).toEqual([26]);
  await expect(aligned('ALIGN_MEAN')).rejects.toThrow('kind CUMULATIVE and value type INT64');
});
