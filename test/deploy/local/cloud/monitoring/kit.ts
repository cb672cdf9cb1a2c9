import { monitoring_v3 } from 'googleapis/build/src/apis/monitoring/v3.js';
import type { Cloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { call } from '../storage/raw.ts';

export const cpu = 'compute.googleapis.com/instance/cpu/utilization';
export const gpu = 'agent.googleapis.com/gpu/utilization';
export const zone = 'europe-west4-a';

/** A moment that all tests count from. */
export const noon = Date.parse('2026-11-20T12:00:00Z');
export const at = (minutes: number) => new Date(noon + minutes * 60_000).toISOString();

export const projectsOf = ({ origin }: Cloud) =>
  new monitoring_v3.Monitoring({ rootUrl: `${origin}/`, retry: false }).projects;

export async function setMonitoring({ origin }: Cloud, settings: object): Promise<void> {
  await posted(`${origin}/_local/monitoring/settings`, settings);
}

export async function setSeries({ origin }: Cloud, ...series: object[]): Promise<void> {
  await posted(`${origin}/_local/monitoring/series`, series);
}

async function posted(url: string, json: object): Promise<void> {
  const { status, body } = await call('POST', url, { json });
  if (status !== 200) throw new Error(JSON.stringify(body));
}

/** What timeSeries.list gives for this metric, from the one minute to the other. */
export async function listed(
  cloud: Cloud,
  metric: string,
  [from, to]: [number, number],
  more: Partial<monitoring_v3.Params$Resource$Projects$Timeseries$List> = {},
  filter = '',
) {
  const { data } = await projectsOf(cloud).timeSeries.list({
    name: `projects/${cloud.project}`,
    filter: `metric.type = "${metric}"${filter}`,
    'interval.startTime': at(from),
    'interval.endTime': at(to),
    ...more,
  });
  return data;
}

/** The values of a series, the latest first. */
export const values = ({ points = [] }: monitoring_v3.Schema$TimeSeries = {}) =>
  points.map(({ value }) => value?.doubleValue ?? Number(value?.int64Value));

export const status = (request: Promise<unknown>): Promise<number> =>
  request.then(
    () => 200,
    ({ response }: { response?: { status: number } }) => response?.status ?? 0,
  );
