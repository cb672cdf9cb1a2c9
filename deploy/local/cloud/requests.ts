import type { RequestHandler, Router } from 'express';
import express from 'express';

/** One request that reached the local cloud, so that a test can look at what really left the code under test. */
export type SeenRequest = {
  service: string;
  method: string;
  /** Path and query, as sent. */
  url: string;
  status: number;
  /** What the service wants to be counted, for example how many images of which features. */
  detail?: unknown;
};

export type Requests = {
  /** Stands before a service's routes. A service adds `detail` by setting `response.locals.detail`. */
  middleware(service: string): RequestHandler;
  /** For what does not come by HTTP (gRPC calls, pushes that went out). */
  add(request: SeenRequest): void;
  /** Hears of each that comes from now on. */
  listen(listener: (request: SeenRequest) => void): void;
  /** `GET ?service=` answers `{ total, requests }` (the last 50,000), `DELETE` starts again from nothing. */
  router: Router;
};

const kept = 50_000;

export function createRequests(): Requests {
  let seen: SeenRequest[] = [];
  const listeners: ((request: SeenRequest) => void)[] = [];

  const add = (request: SeenRequest) => {
    seen.push(request);
    if (seen.length > 2 * kept) seen = seen.slice(-kept);
    for (const hear of listeners) hear(request);
  };

  const middleware: Requests['middleware'] = (service) =>
    function noteRequest(request, response, next) {
      // 'close' comes after a cut connection too, 'finish' would not.
      response.on('close', () => {
        const { detail } = response.locals;
        const { method, originalUrl: url } = request;
        add({
          service,
          method,
          url,
          status: response.statusCode,
          ...(detail === undefined ? {} : { detail }),
        });
      });
      next();
    };

  const router = express
    .Router()
    .get('/', (request, response) => {
      const { service } = request.query;
      const requests = seen.filter((one) => service === undefined || one.service === service);
      response.json({ total: requests.length, requests: requests.slice(-kept) });
    })
    .delete('/', (_request, response) => {
      seen = [];
      response.json({});
    });

  return { middleware, add, listen: (listener) => void listeners.push(listener), router };
}
