import express, { type Router } from 'express';
import * as z from 'zod';
import type { BucketSampler } from '../bucketSampler.ts';
import { invalid } from '../monitoringError.ts';
import type { Parts } from '../parts.ts';
import type { Sampler } from '../sampler.ts';
import type { Point, Series } from '../series/series.ts';
import { Settings } from '../settings.ts';

const time = z.union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))]);
const value = z.union([z.number(), z.boolean(), z.string()]);

/** What is to be seen of a machine, as if it had been measured. */
const SetSeries = z.strictObject({
  metric: z.string(),
  /** By name, if there is one; else by its id as well. */
  instance: z.strictObject({ zone: z.string(), name: z.string(), id: z.string().optional() }),
  labels: z.record(z.string(), z.string()).default({}),
  /** `[time, value]`, a time being ms or text. */
  points: z.array(z.tuple([time, value])).default([]),
  /** The same value each minute, from the one to the other, both included. */
  constant: z
    .strictObject({ from: time, to: time, value, seconds: z.number().positive().default(60) })
    .optional(),
});
const Body = z.union([SetSeries.transform((one) => [one]), z.array(SetSeries)]);

/**
 *     POST   /_local/monitoring/settings   replaces the settings; GET shows them, and the time
 *     POST   /_local/monitoring/series     what is to be seen of a machine, whose processes are not looked at from then on
 *     DELETE /_local/monitoring/series     forgets everything that was measured and written
 */
export function localRoutes(parts: Parts, sampler: Sampler, bucketSampler: BucketSampler): Router {
  const { settings, clock, tables, context } = parts;
  const shown = () => ({
    ...settings,
    clock: { at: new Date(clock.now()).toISOString(), speed: clock.speed() },
  });
  return express
    .Router()
    .get('/_local/monitoring/settings', (_request, response) => void response.json(shown()))
    .post('/_local/monitoring/settings', express.json(), (request, response) => {
      const parsed = Settings.safeParse(request.body ?? {});
      if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
      const { clock: wanted, ...rest } = parsed.data;
      Object.assign(settings, rest);
      if (wanted) {
        clock.set({ at: wanted.at, speed: wanted.speed });
        sampler.wake();
        bucketSampler.wake();
      }
      response.json(shown());
    })
    .post('/_local/monitoring/series', express.json({ limit: '200mb' }), (request, response) => {
      const parsed = Body.safeParse(request.body ?? {});
      if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
      context.store.transaction(() => {
        for (const given of parsed.data) {
          const { series, points } = read(parts, given);
          tables.put(series, points);
          sampler.leave(series.resource.labels.instance_id ?? '');
        }
      });
      response.json({});
    })
    .delete('/_local/monitoring/series', (_request, response) => {
      tables.clear();
      response.json({});
    });
}

function read(
  { context, machines, descriptorOf }: Parts,
  given: z.infer<typeof SetSeries>,
): { series: Series; points: Point[] } {
  const { metric: type, instance, labels, constant } = given;
  const { zone, name } = instance;
  const id = instance.id ?? machines.get({ zone, name })?.id;
  if (id === undefined) throw invalid(`There is no machine ${name} in ${zone}, so say its id as well.`);
  const descriptor = descriptorOf(type);
  if (!descriptor)
    throw invalid(`There is no metric ${type}; metrics of users are written by timeSeries.create.`);
  const { metricKind, valueType, unit } = descriptor;
  const named = descriptor.labels.includes('instance_name') ? { instance_name: name } : {};
  const measured = [...given.points];
  if (constant)
    for (let at = constant.from; at <= constant.to; at += constant.seconds * 1000)
      measured.push([at, constant.value]);
  return {
    series: {
      metric: { type, labels: { ...named, ...labels } },
      resource: { type: 'gce_instance', labels: { project_id: context.project, instance_id: id, zone } },
      metricKind,
      valueType,
      unit,
    },
    points: measured.map(([end, value]) => ({
      start: metricKind === 'GAUGE' ? end : end - 60_000,
      end,
      value,
      arrived: end,
    })),
  };
}
