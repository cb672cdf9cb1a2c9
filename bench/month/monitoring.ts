import type { Request } from 'express';
import type { monitoring_v3 } from 'googleapis/build/src/apis/monitoring/v3.js';
import { builtIn } from '../../deploy/local/cloud/monitoring/descriptors.ts';
import { list } from '../../deploy/local/cloud/monitoring/list/list.ts';
import { readQuery } from '../../deploy/local/cloud/monitoring/list/query.ts';
import type { Parts } from '../../deploy/local/cloud/monitoring/parts.ts';
import { keyOf, type Point, type Series } from '../../deploy/local/cloud/monitoring/series/series.ts';
import { Settings } from '../../deploy/local/cloud/monitoring/settings.ts';
import type { Clock } from '../placement/clock.ts';
import { minute } from '../placement/world.ts';
import { project } from './computeClients.ts';
import type { Signs } from './signs.ts';
import type { Machine, World } from './world.ts';

type Options = { world: World; signs: Signs; clock: Clock; isDown: () => boolean };

const metrics: { [type: string]: (signs: Signs) => (machine: Machine, end: number) => number } = {
  'compute.googleapis.com/instance/cpu/utilization': ({ cpu }) => cpu,
  'compute.googleapis.com/instance/network/received_bytes_count': ({ received }) => received,
};

/**
 * The local Monitoring's own timeSeries.list, with its lateness and holes, over what the simulated machines do. None has
 * the Ops Agent, so there is nothing on GPUs.
 */
export function simulatedMonitoring({ world, signs, clock, isDown }: Options) {
  const seriesOf = (type: string, machine: Machine): Series & { key: string } => {
    const descriptor = builtIn.find((one) => one.type === type);
    const { id, name, zone } = machine;
    const series: Series = {
      metric: { type, labels: { instance_name: name } },
      resource: { type: 'gce_instance', labels: { project_id: project, instance_id: id, zone } },
      metricKind: descriptor?.metricKind ?? 'GAUGE',
      valueType: descriptor?.valueType ?? 'DOUBLE',
      unit: descriptor?.unit,
    };
    return { ...series, key: keyOf(series) };
  };
  const parts = {
    settings: Settings.parse({}),
    clock: { now: clock.now },
    descriptorOf: (type: string) => builtIn.find((one) => one.type === type),
    tables: {
      of: (type: string) => (metrics[type] ? world.machines().map((machine) => seriesOf(type, machine)) : []),
      points(key: string, after: number, until: number): Point[] {
        const [type, , labels] = JSON.parse(key) as [string, string, [string, string][]];
        const id = labels.find(([name]) => name === 'instance_id')?.[1];
        const machine = world.machines().find((one) => one.id === id);
        const measured = metrics[type]?.(signs);
        const points: Point[] = [];
        if (!machine || !measured) return points;
        const first = Math.floor(until / minute) * minute;
        for (let end = first; end > after; end -= minute)
          if (
            !signs.isLost(machine, end) &&
            machine.runs.some(({ from, to }) => from <= end - minute && end <= to)
          )
            points.push({ start: end, end, value: measured(machine, end), arrived: end });
        return points;
      },
    },
  } as unknown as Parts;
  const projects = {
    timeSeries: {
      async list({ name: _, ...asked }: Record<string, string | number>) {
        if (isDown()) throw Object.assign(new Error('The service is currently unavailable.'), { code: 503 });
        const query = Object.fromEntries(Object.entries(asked).map(([key, value]) => [key, String(value)]));
        return { data: list(parts, readQuery({ query } as unknown as Request)) };
      },
    },
  };
  return { projects } as unknown as Pick<monitoring_v3.Monitoring, 'projects'>;
}
