import type { Request, RequestHandler, Response } from 'express';
import { zones } from '../catalogue.ts';
import { locationName, type Parts } from '../parts.ts';
import { invalid, notFound, TpuError } from '../tpuError.ts';

export type TpuRequest = Request<Record<string, string>>;
type Handler = (request: TpuRequest, response: Response) => unknown;
export type On = (method: 'get' | 'post' | 'delete', path: string, op: string, handler: Handler) => void;

/**
 * Names the operation and keeps what was sent, so that a test can look at the request that arrived. Then come the faults
 * that are the service's own.
 */
export function handled({ context }: Parts, op: string, handler: Handler): RequestHandler {
  return async (request, response) => {
    response.locals.detail = { op, ...(request.body === undefined ? {} : { body: request.body }) };
    const { project = '' } = request.params as Record<string, string>;
    const path = decodeURIComponent(request.path);
    const fault = context.faults.strike('tpu', ['rateLimit', 'permissionDenied'], {
      method: request.method,
      path,
    });
    if (fault?.kind === 'rateLimit')
      throw new TpuError(
        429,
        'RESOURCE_EXHAUSTED',
        "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service 'tpu.googleapis.com' for consumer 'project_number:100000000000'.",
        [info('RATE_LIMIT_EXCEEDED', 'googleapis.com', { service: 'tpu.googleapis.com' })],
      );
    if (fault) throw denied(`tpu.${op}`, path.replace('/v2/', ''));
    if (project !== context.project) throw denied(`tpu.${op}`, `projects/${project}`);
    await handler(request as TpuRequest, response);
  };
}

const info = (reason: string, domain: string, metadata: object) => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain,
  metadata,
});

const denied = (permission: string, resource: string) =>
  new TpuError(
    403,
    'PERMISSION_DENIED',
    `Permission '${permission}' denied on resource '//tpu.googleapis.com/${resource}' (or it may not exist).`,
    [info('IAM_PERMISSION_DENIED', 'iam.googleapis.com', { permission, resource })],
  );

/** The zone of the request. @throws 403 if there is none or it is closed, 503 if it does not answer */
export function zoneOf({ settings, context }: Parts, request: TpuRequest): string {
  const { zone = '' } = request.params;
  if (!zones.includes(zone) || settings.closedZones.includes(zone))
    throw new TpuError(403, 'PERMISSION_DENIED', `Location ${zone} is not found or access is unauthorized.`, [
      info('LOCATION_POLICY_VIOLATED', 'googleapis.com', {
        consumer: `projects/${context.project}`,
        location: zone,
        service: 'tpu.googleapis.com',
      }),
    ]);
  if (settings.unreachableZones.includes(zone))
    throw new TpuError(503, 'UNAVAILABLE', `The location ${zone} is unreachable. Please try again.`);
  return zone;
}

/** @throws 404 */
export function found<T>(resource: T | undefined, name: string): T {
  if (!resource) throw notFound(name);
  return resource;
}

export function text(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw invalid(`${name} was given more than once.`);
}

/** @throws 400 if it is no UUID */
export function requestIdOf(request: Request): string | undefined {
  const id = text(request, 'requestId');
  if (id === undefined) return undefined;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) || /^[0-]+$/.test(id))
    throw invalid(`The request ID "${id}" is not a valid UUID.`);
  return id;
}

/**
 * The answer of a list: of one zone, or of `-`, all of them. Then what does not answer stands under `unreachable`, and a
 * zone that is closed is not there at all. The token is where the last page ended.
 */
export function listed(
  parts: Parts,
  request: TpuRequest,
  plural: string,
  items: { zone: string; resource: object & { name: string } }[],
): object {
  const { context, settings } = parts;
  const isEverywhere = request.params.zone === '-';
  const zone = isEverywhere ? undefined : zoneOf(parts, request);
  const isSeen = (at: string) =>
    zone === undefined
      ? !settings.unreachableZones.includes(at) && !settings.closedZones.includes(at)
      : at === zone;
  const size = Number(text(request, 'pageSize') ?? 0);
  if (!Number.isInteger(size) || size < 0) throw invalid(`The page size "${size}" is invalid.`);
  const after = Buffer.from(text(request, 'pageToken') ?? '', 'base64url').toString();
  const left = items
    .filter((item) => isSeen(item.zone))
    .map(({ resource }) => resource)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter(({ name }) => name > after);
  const page = left.slice(0, Math.min(size || 1000, 1000));
  const last = left.length > page.length ? page.at(-1) : undefined;
  const unreachable = isEverywhere ? settings.unreachableZones.map((at) => locationName(context, at)) : [];
  return {
    ...(page.length > 0 ? { [plural]: page } : {}),
    ...(last ? { nextPageToken: Buffer.from(last.name).toString('base64url') } : {}),
    ...(unreachable.length > 0 ? { unreachable } : {}),
  };
}
