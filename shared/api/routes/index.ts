import type { Route } from '../route.ts';
import { aboutRoutes } from './about.ts';
import { annotationRoutes } from './annotations.ts';
import { datasetRoutes } from './datasets.ts';
import { deadLetterRoutes } from './deadLetters.ts';
import { exportRoutes } from './exports.ts';
import { jobRoutes } from './jobs.ts';
import { machineRoutes } from './machines.ts';
import { manifestRoutes } from './manifests.ts';
import { moneyRoutes } from './money.ts';
import { sessionRoutes } from './sessions.ts';
import { signedUrlRoutes } from './signedUrls.ts';
import { syncRoutes } from './sync.ts';

/** Every route of the API. */
export const routes: Route[] = [
  ...aboutRoutes,
  ...datasetRoutes,
  ...manifestRoutes,
  ...signedUrlRoutes,
  ...annotationRoutes,
  ...syncRoutes,
  ...jobRoutes,
  ...sessionRoutes,
  ...machineRoutes,
  ...moneyRoutes,
  ...deadLetterRoutes,
  ...exportRoutes,
];
