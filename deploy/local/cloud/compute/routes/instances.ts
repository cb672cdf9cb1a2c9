import { insertInstance } from '../instances/actions.ts';
import { readBody } from '../instances/body.ts';
import { instanceResource } from '../instances/resource.ts';
import { aggregated, listed } from '../lists/list.ts';
import type { Parts } from '../parts.ts';
import { instanceOf, type On, onceBy, zoneOf } from './request.ts';

/** instances: insert, get, list, aggregatedList. */
export function instanceRoutes(parts: Parts, on: On): void {
  const { context, tables, settings } = parts;
  const all = () =>
    tables.instances
      .all()
      .map((instance) => ({ zone: instance.zone, resource: instanceResource(context, instance) }));

  on('post', '/zones/:zone/instances', 'instances.insert', (request, response) => {
    const zone = zoneOf(parts, request);
    const { name } = readBody(request.body, settings.shortestRun);
    const answer = onceBy(parts, request, { operationType: 'insert', key: { zone, name } }, (requestId) =>
      insertInstance(parts, zone, request.body, requestId),
    );
    response.json(answer);
  });

  on('get', '/zones/:zone/instances', 'instances.list', (request, response) => {
    const zone = zoneOf(parts, request);
    const items = all().filter((item) => item.zone === zone);
    response.json(listed(context, request, 'instance', `zones/${zone}/instances`, items));
  });

  on('get', '/aggregated/instances', 'instances.aggregatedList', (request, response) => {
    response.json(aggregated(context, request, settings, 'instance', 'instances', all()));
  });

  on('get', '/zones/:zone/instances/:instance', 'instances.get', (request, response) => {
    response.json(instanceResource(context, instanceOf(parts, request)));
  });
}
