import type { Route } from '../route.ts';
import { aboutRoutes } from './about.ts';
import { datasetRoutes } from './datasets.ts';
import { manifestRoutes } from './manifests.ts';
import { signedUrlRoutes } from './signedUrls.ts';

/** Every route of the API. */
export const routes: Route[] = [...aboutRoutes, ...datasetRoutes, ...manifestRoutes, ...signedUrlRoutes];
