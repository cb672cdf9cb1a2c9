import { quotaDetails, quotaMessage } from '../failure.ts';
import { checkId } from '../nodes/body.ts';
import { locationName, type Parts, queuedName } from '../parts.ts';
import { readQueued } from '../queue/body.ts';
import { queuedResource } from '../queue/queuedResource.ts';
import { exceeded } from '../quotas.ts';
import { alreadyExists, TpuError } from '../tpuError.ts';
import { found, listed, type On, requestIdOf, text, zoneOf } from './request.ts';

/** queuedResources: create, get, list, delete. */
export function queuedResourceRoutes(parts: Parts, on: On): void {
  const { context, tables, settings, operations, queue } = parts;
  const table = tables.queuedResources;
  const replayed = (verb: 'create' | 'delete', target: string, requestId: string | undefined) =>
    settings.rememberRequestIds ? operations.replay({ verb, target, requestId }) : undefined;

  on('post', '/queuedResources', 'queuedResources.create', (request, response) => {
    const zone = zoneOf(parts, request);
    const key = { zone, name: checkId('queued resource ID', text(request, 'queuedResourceId')) };
    const target = queuedName(context, key);
    const requestId = requestIdOf(request);
    const before = replayed('create', target, requestId);
    if (before) return response.json(operations.resource(before));
    const resource = readQueued(key, locationName(context, zone), request.body);
    if (table.get(key)) throw alreadyExists(target);
    const quota = exceeded(tables, settings, resource);
    if (quota?.when === 'now')
      throw new TpuError(429, 'RESOURCE_EXHAUSTED', quotaMessage(quota), quotaDetails(quotaMessage(quota)));
    const operation = operations.begin({ zone, verb: 'create', target, requestId });
    queue.create(resource, operation);
    response.json(operations.resource(operation));
  });

  on('get', '/queuedResources', 'queuedResources.list', (request, response) => {
    const items = table.all().map((resource) => ({
      zone: resource.zone,
      resource: { ...queuedResource(context, resource), name: queuedName(context, resource) },
    }));
    response.json(listed(parts, request, 'queuedResources', items));
  });

  on('get', '/queuedResources/:resource', 'queuedResources.get', (request, response) => {
    const key = { zone: zoneOf(parts, request), name: request.params.resource ?? '' };
    response.json(queuedResource(context, found(table.get(key), queuedName(context, key))));
  });

  on('delete', '/queuedResources/:resource', 'queuedResources.delete', (request, response) => {
    const zone = zoneOf(parts, request);
    const key = { zone, name: request.params.resource ?? '' };
    const target = queuedName(context, key);
    const requestId = requestIdOf(request);
    const before = replayed('delete', target, requestId);
    if (before) return response.json(operations.resource(before));
    found(table.get(key), target);
    // gcloud writes “True”.
    const isForced = /^(true|1)$/i.test(text(request, 'force') ?? '');
    const operation = queue.remove(key, isForced, () =>
      operations.begin({ zone, verb: 'delete', target, requestId }),
    );
    response.json(operations.resource(operation));
  });
}
