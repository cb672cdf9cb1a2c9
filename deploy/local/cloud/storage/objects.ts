import type { Request, Response, Router } from 'express';
import express from 'express';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import { sendMedia } from './media.ts';
import { changeMetadata, type ObjectMetadata } from './metadata.ts';
import type { Parts } from './parts.ts';
import { notModified, readPreconditions, requireMet } from './preconditions.ts';
import { flag, integer } from './query.ts';
import { toResource } from './resource.ts';

type Named = Request<{ bucket: string; object: string }>;

/** get, patch, update, delete and restore. https://cloud.google.com/storage/docs/json_api/v1/objects */
export function objectRoutes({ context, generations }: Parts): Router {
  const note = ({ params: { object } }: Named, response: Response, op: string) => {
    response.locals.detail = { op: `objects.${op}`, object };
  };
  const neededGeneration = (request: Named): number => {
    const generation = integer(request, 'generation');
    if (generation === undefined) throw new GoogleError(400, 'required', 'Required parameter: generation');
    return generation;
  };

  const get = async (request: Named, response: Response) => {
    const media = request.query.alt === 'media';
    note(request, response, media ? 'get.media' : 'get');
    const { bucket, object: name } = request.params;
    const object = flag(request, 'softDeleted')
      ? generations.needSoftDeleted(bucket, name, neededGeneration(request))
      : generations.need(bucket, name, integer(request, 'generation'));
    if (notModified(readPreconditions(request), object)) return void response.status(304).end();
    if (media) await sendMedia(request, response, object, generations.path(object));
    else response.json(toResource(object, context.origin()));
  };

  const change = (request: Named, from: (before: ObjectMetadata) => ObjectMetadata) =>
    generations.change(() => {
      const { bucket, object: name } = request.params;
      const object = generations.need(bucket, name, integer(request, 'generation'));
      requireMet(readPreconditions(request), object);
      const metadata = changeMetadata(from(object.metadata), request.body ?? {});
      return toResource(generations.setMetadata(object, metadata), context.origin());
    });

  const router = express.Router();
  router.get('/download/storage/v1/b/:bucket/o/:object', get);
  router
    .route('/storage/v1/b/:bucket/o/:object')
    .get(get)
    .patch(jsonBody(1e6), (request: Named, response: Response) => {
      note(request, response, 'patch');
      response.json(change(request, (before) => before));
    })
    .put(jsonBody(1e6), (request: Named, response: Response) => {
      note(request, response, 'update');
      // What is not given is removed; only the storage class cannot be.
      response.json(change(request, ({ storageClass }) => (storageClass ? { storageClass } : {})));
    })
    .delete((request, response) => {
      note(request, response, 'delete');
      const { bucket, object: name } = request.params;
      const generation = integer(request, 'generation');
      generations.change(() => {
        const object = generations.need(bucket, name, generation);
        requireMet(readPreconditions(request), object);
        generations.remove(object, generation !== undefined);
      });
      response.status(204).end();
    });
  router.post('/storage/v1/b/:bucket/o/:object/restore', (request, response) => {
    note(request, response, 'restore');
    const { bucket, object: name } = request.params;
    const restored = generations.change(() => {
      const object = generations.needSoftDeleted(bucket, name, neededGeneration(request));
      return generations.put(object, readPreconditions(request));
    });
    response.json(toResource(restored, context.origin()));
  });
  return router;
}
