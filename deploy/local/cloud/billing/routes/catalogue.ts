import express, { type Router } from 'express';
import { GoogleError } from '../../googleError.ts';
import { catalogueOf, services } from '../catalogue.ts';

/** services: list, and their skus. */
export function catalogueRoutes(): Router {
  return express
    .Router()
    .get('/v1/services', (_request, response) => {
      response.locals.detail = { op: 'services.list' };
      response.json({
        services: Object.entries(services).map(([serviceId, displayName]) => ({
          name: `services/${serviceId}`,
          serviceId,
          displayName,
          businessEntityName: 'businessEntities/GCP',
        })),
      });
    })
    .get('/v1/services/:service/skus', ({ params: { service }, query }, response) => {
      response.locals.detail = { op: 'services.skus.list' };
      if (!(service in services))
        throw new GoogleError(404, 'notFound', `Service services/${service} was not found.`);
      const { currencyCode = 'USD', pageToken = '' } = query;
      if (currencyCode !== 'USD')
        throw new GoogleError(501, 'notImplemented', 'The local price catalogue is in USD');
      const size = Math.min(Number(query.pageSize) || 5000, 5000);
      const first = Number(Buffer.from(String(pageToken), 'base64url').toString() || 0);
      if (!Number.isInteger(first) || first < 0)
        throw new GoogleError(400, 'badRequest', 'The page token is not one of ours.');
      const skus = catalogueOf(service);
      const after = first + size;
      response.json({
        skus: skus.slice(first, after),
        nextPageToken: after < skus.length ? Buffer.from(String(after)).toString('base64url') : '',
      });
    });
}
