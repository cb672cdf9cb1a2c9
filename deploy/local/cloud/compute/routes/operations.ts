import type { Request } from 'express';
import { notFound } from '../computeError.ts';
import { listed } from '../lists/list.ts';
import type { Operation } from '../operations.ts';
import { type Parts, pathTo } from '../parts.ts';
import { type On, zoneOf } from './request.ts';

/** zoneOperations: get, list, wait. All operations here belong to a zone. */
export function operationRoutes(parts: Parts, on: On): void {
  const { context, tables, settings, operations } = parts;
  const operationOf = (request: Request<Record<string, string>>): Operation => {
    const zone = zoneOf(parts, request);
    const { operation: name = '' } = request.params;
    const operation = tables.operations.get({ zone, name });
    if (!operation) throw notFound(pathTo(context, `zones/${zone}/operations/${name}`));
    return operation;
  };

  on('get', '/zones/:zone/operations', 'zoneOperations.list', (request, response) => {
    const zone = zoneOf(parts, request);
    const items = tables.operations
      .all()
      .filter((operation) => operation.zone === zone)
      .map((operation) => ({ zone, resource: operations.resource(operation) }));
    response.json(listed(context, request, 'operation', `zones/${zone}/operations`, items));
  });

  on('get', '/zones/:zone/operations/:operation', 'zoneOperations.get', (request, response) => {
    response.json(operations.resource(operationOf(request)));
  });

  // It is no promise: after some time the answer is the operation as it is.
  // https://cloud.google.com/compute/docs/reference/rest/v1/zoneOperations/wait
  on('post', '/zones/:zone/operations/:operation/wait', 'zoneOperations.wait', async (request, response) => {
    const operation = operationOf(request);
    await operations.wait(operation, settings.wait);
    response.json(operations.resource(tables.operations.get(operation) ?? operation));
  });

  for (const [scope, service] of [
    ['/global', 'globalOperations'],
    ['/regions/:region', 'regionOperations'],
  ] as const) {
    const none = (request: Request<Record<string, string>>) => {
      const { region, operation } = request.params;
      const place = region ? `regions/${region}` : 'global';
      throw notFound(pathTo(context, `${place}/operations/${operation}`));
    };
    on('get', `${scope}/operations/:operation`, `${service}.get`, none);
    on('post', `${scope}/operations/:operation/wait`, `${service}.wait`, none);
  }
}
