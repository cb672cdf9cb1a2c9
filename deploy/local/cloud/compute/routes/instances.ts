import { alreadyExists } from '../computeError.ts';
import { readBody } from '../instances/body.ts';
import { foreseen } from '../instances/faulty.ts';
import { plan } from '../instances/plan.ts';
import { instanceResource } from '../instances/resource.ts';
import { aggregated, listed } from '../lists/list.ts';
import { type Parts, pathTo } from '../parts.ts';
import { instanceOf, type On, onceBy, targetOf, zoneOf } from './request.ts';

/** instances: insert, get, list, aggregatedList. */
export function instanceRoutes(parts: Parts, on: On): void {
  const { context, tables, settings, operations, life } = parts;
  const all = () =>
    tables.instances
      .all()
      .map((instance) => ({ zone: instance.zone, resource: instanceResource(context, instance) }));

  on('post', '/zones/:zone/instances', 'instances.insert', (request, response) => {
    const zone = zoneOf(parts, request);
    const body = readBody(request.body, settings.shortestRun);
    const key = { zone, name: body.name };
    const answer = onceBy(parts, request, { operationType: 'insert', key }, (requestId) => {
      if (tables.instances.get(key)) throw alreadyExists(pathTo(context, targetOf(key)));
      const { instance, disks } = plan(context, tables, zone, body);
      const failure = foreseen(context, tables, settings, instance);
      const operation = operations.begin({
        zone,
        operationType: 'insert',
        target: targetOf(key),
        targetId: instance.id,
        requestId,
      });
      life.create(instance, disks, operation, failure);
      return operation;
    });
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
