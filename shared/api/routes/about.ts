import * as z from 'zod';
import { Role } from '../roles.ts';
import { type Route, route } from '../route.ts';

const Me = z.object({
  email: z.string(),
  /** Who owns what is started. */
  person: z.string(),
  role: Role,
  project: z.string(),
  rawBucket: z.string(),
  derivedBucket: z.string(),
  regions: z.array(z.string()).describe('The only regions where machines may be; empty for all.'),
  isLocal: z.boolean().describe('A local cloud: nothing is paid, and models are stand-ins.'),
});

export const aboutRoutes: Route[] = [
  route({
    id: 'getOpenApi',
    method: 'GET',
    path: '/v1/openapi.json',
    role: 'reader',
    summary: 'This document.',
    answer: z.record(z.string(), z.json()),
    // By its name: the document is made of the table that this route is in.
    handle: async (_asked, { config }) =>
      (await import('../openApi.ts')).openApiOf((await import('./index.ts')).routes, config.apiUrl[0]),
  }),

  route({
    id: 'getMe',
    method: 'GET',
    path: '/v1/me',
    role: 'reader',
    summary: 'Who you are here, what you may do, and where things are.',
    answer: Me,
    handle: async ({ caller }, { config }) => ({
      ...caller,
      project: config.project,
      rawBucket: config.rawBucket,
      derivedBucket: config.derivedBucket,
      regions: config.regions ?? [],
      isLocal: config.localCloud !== undefined,
    }),
  }),
];
