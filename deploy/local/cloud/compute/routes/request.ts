import type { Request, RequestHandler, Response } from 'express';
import type { Key } from '../../zonal.ts';
import { zones } from '../catalogue/zones.ts';
import { ComputeError, invalidField, notFound } from '../computeError.ts';
import { targetOf } from '../instances/actions.ts';
import type { Instance } from '../instances/instance.ts';
import { text } from '../lists/list.ts';
import type { Operation } from '../operations.ts';
import { type Parts, pathTo } from '../parts.ts';

type Handler = (request: Request<Record<string, string>>, response: Response) => unknown;
export type On = (method: 'get' | 'post' | 'delete', path: string, op: string, handler: Handler) => void;

/**
 * Names the operation and keeps what was sent, so that a test can look at the request that arrived. Then come the faults
 * that are Compute Engine's own.
 */
export function handled({ context }: Parts, op: string, handler: Handler): RequestHandler {
  return async (request, response) => {
    response.locals.detail = { op, ...(request.body === undefined ? {} : { body: request.body }) };
    const { project = '' } = request.params as Record<string, string>;
    const path = decodeURIComponent(request.path);
    const fault = context.faults.strike('compute', ['rateLimit', 'permissionDenied'], {
      method: request.method,
      path,
    });
    if (fault?.kind === 'rateLimit')
      throw new ComputeError(
        403,
        'rateLimitExceeded',
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'compute.googleapis.com' for consumer 'project_number:100000000000'.",
      );
    if (fault)
      throw new ComputeError(
        403,
        'forbidden',
        `Required 'compute.${op}' permission for '${path.replace('/compute/v1/', '')}'`,
      );
    // Images of other projects may be read.
    if (project !== context.project && !op.startsWith('images.')) throw notFound(`projects/${project}`);
    await handler(request as Request<Record<string, string>>, response);
  };
}

/** The zone of the request. @throws 400 if there is none, 403 if it is closed, 503 if it does not answer */
export function zoneOf({ settings }: Parts, request: Request<Record<string, string>>): string {
  const { zone = '' } = request.params;
  if (!zones.includes(zone)) throw invalidField('zone', zone, 'Unknown zone.');
  if (settings.closedZones.includes(zone))
    throw new ComputeError(403, 'forbidden', `Location ${zone} is not found or access is unauthorized.`);
  if (settings.unreachableZones.includes(zone))
    throw new ComputeError(503, 'backendError', `The zone '${zone}' is unreachable. Please try again.`);
  return zone;
}

/** @throws 404 */
export function instanceOf(parts: Parts, request: Request<Record<string, string>>): Instance {
  const key = { zone: zoneOf(parts, request), name: request.params.instance ?? '' };
  const instance = parts.tables.instances.get(key);
  if (!instance) throw notFound(pathTo(parts.context, targetOf(key)));
  return instance;
}

/** https://cloud.google.com/compute/docs/reference/rest/v1/instances/insert @throws 400 if it is no UUID */
export function requestIdOf(request: Request): string | undefined {
  const id = text(request, 'requestId');
  if (id === undefined) return undefined;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) || /^[0-]+$/.test(id))
    throw invalidField('requestId', id, 'Must be a valid UUID that is not zero.');
  return id;
}

/**
 * Does what a request asks for once: when it comes again with the same id, the answer is the same operation, as it is by
 * then.
 */
export function onceBy(
  { operations, settings }: Parts,
  request: Request,
  what: { operationType: string; key: Key },
  begin: (requestId: string | undefined) => Operation,
): object {
  const requestId = requestIdOf(request);
  const { operationType, key } = what;
  const before = settings.rememberRequestIds
    ? operations.replay({ operationType, target: targetOf(key), requestId })
    : undefined;
  return operations.resource(before ?? begin(requestId));
}
