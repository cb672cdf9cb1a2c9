import type { Request, RequestHandler, Router } from 'express';
import express from 'express';
import { z } from 'zod';
import { GoogleError } from './googleError.ts';

/**
 * A fault that a test switches on: `curl -d '{"service":"storage","kind":"status","status":503,"probability":0.1}'
 * -H 'content-type: application/json' http://127.0.0.1:PORT/_local/faults`.
 */
export const Fault = z.strictObject({
  /** The folder of the service it hits. */
  service: z.enum([
    'storage',
    'drive',
    'pubsub',
    'vision',
    'language',
    'token',
    'scheduler',
    'compute',
    'monitoring',
    'notebooks',
    'billing',
    'tpu',
  ]),
  /**
   * - `latency`: waits `ms` before the request is looked at;
   * - `status`: answers `status` with `reason`, and `Retry-After: retryAfter` if given; nothing is done;
   * - `cut`: closes the connection instead of answering; nothing is done;
   * - `cutAfter`: closes the connection after `bytes` bytes of the answer;
   * - `lostAnswer`: does the work, then closes the connection instead of answering;
   * - `flipByte`: (drive) the byte in the middle of a download or export is wrong, everything else is right;
   * - `truncate`: (drive) a download or export ends after half of its bytes, cleanly, as behind a broken proxy;
   * - `ignoreRange`: (drive) a request for a range is answered with 200 and the whole file;
   * - `wrongRange`: (drive) a request for a range is answered with another range, truthfully labelled;
   * - `incompleteSearch`: (drive) files.list leaves out the last file of the page, and says `incompleteSearch`;
   * - `emptyList`: (drive) files.list finds nothing and has no next page, whatever is there;
   * - `expirePageTokens`: (drive) a request's page token of the change feed, and all that were given out before, are
   *   refused from now on: with 400 and the location `pageToken`, or with 404 or 410 if that is the `status`;
   * - `quota`: (drive) what asks for more than `unitsPerMinute` in a minute that slides is refused: with 403, or with 429
   *   and `Retry-After` if one of the two is given. All requests count from when it is switched on;
   * - `shortAck`: (storage, drive) a chunk of a resumable upload is kept only in part, and the answer says so;
   * - `expireSession`: (storage, drive) the session that a request uses is over: 410, or 404 with `status: 404`; of Drive's
   *   it is always 404;
   * - `lostPush`: (pubsub, drive) a push is not sent; Pub/Sub notices at the ack deadline, Drive never does;
   * - `doubledPush`: a push is sent twice;
   * - `latePush`: a push waits a random time up to `ms`, so that pushes overtake each other;
   * - `rateLimit`: (compute, tpu) a request is refused with 403 `rateLimitExceeded`, of TPUs with 429;
   * - `permissionDenied`: (compute, monitoring, notebooks, tpu) a request is refused with 403 `forbidden`;
   * - `stockOut`: (compute) a machine is not to be had: its operation fails with `code`, and names `zonesAvailable`;
   *   (tpu) a queued resource, or the operation of a node, fails with 8;
   * - `vanish`: (compute, tpu) a machine is gone while it is being made; its operation fails with RESOURCE_NOT_FOUND, that
   *   of a TPU with 3;
   * - `bootFailure`: (compute, tpu) a machine runs, but its start-up script does not; the serial port says why.
   */
  kind: z.enum([
    'latency',
    'status',
    'cut',
    'cutAfter',
    'lostAnswer',
    'flipByte',
    'truncate',
    'ignoreRange',
    'wrongRange',
    'incompleteSearch',
    'emptyList',
    'expirePageTokens',
    'quota',
    'shortAck',
    'expireSession',
    'lostPush',
    'doubledPush',
    'latePush',
    'rateLimit',
    'permissionDenied',
    'stockOut',
    'vanish',
    'bootFailure',
  ]),
  /** Only requests of this HTTP method (for pushes and gRPC: ignored). */
  method: z.string().optional(),
  /**
   * Only requests whose path, decoded, or whose push's subscription matches this regular expression. An upload's path
   * ends in the name of its object, like that of other requests: `/upload/storage/v1/b/BUCKET/o/NAME`.
   */
  path: z.string().optional(),
  /** Only machines of which all of these are true. */
  machine: z
    .strictObject({
      name: z.string(),
      zone: z.string(),
      region: z.string(),
      machineType: z.string(),
      acceleratorType: z.string(),
      provisioningModel: z.enum(['SPOT', 'STANDARD']),
    })
    .partial()
    .optional(),
  probability: z.number().min(0).max(1).default(1),
  /** How often it strikes before it is used up. */
  times: z.number().int().positive().optional(),
  status: z.number().int().min(400).max(599).default(503),
  reason: z.string().optional(),
  retryAfter: z.number().int().nonnegative().optional(),
  ms: z.number().nonnegative().default(1000),
  /** https://developers.google.com/workspace/drive/api/guides/limits */
  unitsPerMinute: z.number().int().positive().default(325_000),
  bytes: z.number().int().nonnegative().default(1024),
  /** https://cloud.google.com/compute/docs/resource-error */
  code: z.string().default('ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS'),
  zonesAvailable: z.array(z.string()).default([]),
});
export type Fault = z.infer<typeof Fault>;

export type Faults = {
  /** The fault of one of these kinds that strikes now, if any; asking counts as a strike. */
  strike(
    service: Fault['service'],
    kinds: Fault['kind'][],
    what: { method?: string; path: string; machine?: Fault['machine'] },
  ): Fault | undefined;
  /** A fault of this kind that is switched on; asking is no strike. */
  find(service: Fault['service'], kind: Fault['kind']): Fault | undefined;
  /** Stands before a service's routes. */
  middleware(service: Fault['service']): RequestHandler;
  /** `GET`, `POST`, `DELETE` of the list of faults. */
  router: Router;
};

/** @param random replaced by tests, so that a seed gives the same strikes again. */
export function createFaults(random: () => number = Math.random): Faults {
  const faults: Fault[] = [];

  const strike: Faults['strike'] = (service, kinds, { method, path, machine }) => {
    const fault = faults.find(
      (fault) =>
        fault.service === service &&
        kinds.includes(fault.kind) &&
        (!fault.method || !method || fault.method.toUpperCase() === method) &&
        (!fault.path || new RegExp(fault.path).test(path)) &&
        Object.entries(fault.machine ?? {}).every(
          ([key, value]) => new Map(Object.entries(machine ?? {})).get(key) === value,
        ) &&
        random() < fault.probability,
    );
    if (fault?.times !== undefined && --fault.times <= 0) faults.splice(faults.indexOf(fault), 1);
    return fault;
  };

  const find: Faults['find'] = (service, kind) =>
    faults.find((fault) => fault.service === service && fault.kind === kind);

  const middleware: Faults['middleware'] = (service) =>
    async function injectFault(request, response, next) {
      const what = { method: request.method, path: pathOf(request) };
      const latency = strike(service, ['latency'], what);
      if (latency) await new Promise((resolve) => setTimeout(resolve, latency.ms));
      const fault = strike(service, ['status', 'cut', 'cutAfter', 'lostAnswer'], what);
      switch (fault?.kind) {
        case 'status': {
          const headers = fault.retryAfter === undefined ? {} : { 'Retry-After': String(fault.retryAfter) };
          throw new GoogleError(
            fault.status,
            fault.reason ?? 'backendError',
            'A fault that was switched on',
            {
              headers: headers as Record<string, string>,
            },
          );
        }
        case 'cut':
          request.socket.destroy();
          return;
        case 'lostAnswer':
          // The work is done and the answer is written nowhere: the client sees a reset.
          response.writeHead = (() => {
            request.socket.destroy();
            return response;
          }) as typeof response.writeHead;
          break;
        case 'cutAfter':
          cutAfter(response, fault.bytes);
      }
      next();
    };

  const router = express
    .Router()
    .get('/', (_request, response) => void response.json(faults))
    .post('/', (request, response) => {
      const parsed = z.union([Fault, z.array(Fault)]).safeParse(request.body);
      if (!parsed.success) throw new GoogleError(400, 'invalid', z.prettifyError(parsed.error));
      faults.push(...[parsed.data].flat());
      response.json(faults);
    })
    .delete('/', (_request, response) => {
      faults.length = 0;
      response.json(faults);
    });

  return { strike, find, middleware, router };
}

/**
 * The decoded path, so that a fault can name an object as a person writes it. An upload's name stands in the query; here
 * it follows the path, as it does in every other request for an object.
 */
export function pathOf(request: Request): string {
  const path = request.originalUrl.split('?')[0] ?? '';
  const { name } = request.query;
  const isNamed = /^\/(resumable\/)?upload\/storage\/.*\/o$/.test(path) && typeof name === 'string';
  try {
    return decodeURIComponent(path) + (isNamed ? `/${name}` : '');
  } catch {
    return path;
  }
}

function cutAfter(response: Parameters<RequestHandler>[1], bytes: number): void {
  let left = bytes;
  const write = response.write.bind(response);
  const spend = (chunk: unknown, done?: () => void): boolean => {
    if (typeof chunk !== 'string' && !Buffer.isBuffer(chunk)) return false;
    const data = Buffer.from(chunk as string);
    const kept = data.subarray(0, left);
    left -= kept.length;
    write(kept, () => {
      if (left <= 0) response.socket?.destroy();
      done?.();
    });
    return true;
  };
  response.write = ((chunk: unknown, ...rest: unknown[]) =>
    spend(chunk, rest.find((one) => typeof one === 'function') as () => void)) as typeof response.write;
  const end = response.end.bind(response);
  response.end = ((chunk: unknown) => {
    spend(chunk);
    return left > 0 ? end() : response;
  }) as typeof response.end;
}
