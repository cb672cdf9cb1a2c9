import express, { type Request, type RequestHandler, type Router } from 'express';
import { GoogleError } from '../../googleError.ts';
import { jsonBody } from '../../jsonBody.ts';
import { create } from '../create/create.ts';
import { builtIn, descriptorResource, monitoredResource, resourceLabels } from '../descriptors.ts';
import { parseFilter } from '../list/filter.ts';
import { list } from '../list/list.ts';
import { readQuery, sizeOf } from '../list/query.ts';
import { notHere, unknownMetric } from '../monitoringError.ts';
import type { Parts } from '../parts.ts';

const mebibyte = 1024 ** 2;

/** https://cloud.google.com/monitoring/api/ref_v3/rest */
export function googleRoutes(parts: Parts): Router {
  const { context, settings, tables, descriptorOf } = parts;
  const { project } = context;
  const isKnown = ({ type }: { type: string }) =>
    !settings.unknownMetrics.some((prefix) => type.startsWith(prefix));

  /** Names the operation and keeps what was sent; then comes the fault that is Monitoring's own. */
  const handled =
    (op: string, answer: (request: Request) => object): RequestHandler =>
    (request, response) => {
      response.locals.detail = { op, ...(request.body === undefined ? {} : { body: request.body }) };
      const path = decodeURIComponent(request.path);
      if (context.faults.strike('monitoring', ['permissionDenied'], { method: request.method, path }))
        throw new GoogleError(
          403,
          'forbidden',
          `Permission monitoring.${op} denied (or the resource may not exist).`,
        );
      if (request.params.project !== project)
        throw new GoogleError(404, 'notFound', `Project ${request.params.project} was not found.`);
      response.json(answer(request));
    };

  /** One page of a list that does not change. */
  const page = ({ query }: Request, kind: string, all: object[]) => {
    const size = sizeOf(query.pageSize as string | undefined, 10_000);
    const from = Number(query.pageToken ?? 0) || 0;
    const next = from + size;
    return {
      [kind]: all.slice(from, next),
      ...(next < all.length ? { nextPageToken: String(next) } : {}),
    };
  };

  return express
    .Router()
    .use('/v3', jsonBody(4 * mebibyte))
    .get(
      '/v3/projects/:project/timeSeries',
      handled('timeSeries.list', (request) => list(parts, readQuery(request))),
    )
    .post(
      '/v3/projects/:project/timeSeries',
      handled('timeSeries.create', (request) => {
        create(parts, request.body);
        return {};
      }),
    )
    .get(
      '/v3/projects/:project/metricDescriptors',
      handled('metricDescriptors.list', (request) => {
        const filter = parseFilter(String(request.query.filter ?? ''));
        const found = [...builtIn, ...tables.descriptors.all()].filter(
          (one) =>
            isKnown(one) &&
            filter.matches({
              metric: { type: one.type, labels: {} },
              resource: { type: one.monitoredResourceTypes[0] ?? '', labels: { project_id: project } },
            }),
        );
        const shown = found.map((one) => descriptorResource(project, one));
        return page(request, 'metricDescriptors', shown);
      }),
    )
    .get(
      '/v3/projects/:project/metricDescriptors/*type',
      handled('metricDescriptors.get', ({ params }) => {
        const type = [params.type ?? ''].flat().join('/');
        const descriptor = descriptorOf(type);
        if (!descriptor) throw unknownMetric(type);
        return descriptorResource(project, descriptor);
      }),
    )
    .get(
      '/v3/projects/:project/monitoredResourceDescriptors',
      handled('monitoredResourceDescriptors.list', (request) => {
        const all = Object.keys(resourceLabels).map((type) => monitoredResource(project, type));
        return page(request, 'resourceDescriptors', all);
      }),
    )
    .get(
      '/v3/projects/:project/monitoredResourceDescriptors/:type',
      handled('monitoredResourceDescriptors.get', ({ params }) => {
        const type = String(params.type);
        if (!resourceLabels[type])
          throw new GoogleError(404, 'notFound', `Cannot find monitored resource type "${type}".`);
        return monitoredResource(project, type);
      }),
    )
    .all('/v3/projects/:project/*rest', () => {
      throw notHere('method like this');
    });
}
