import type { Request, Response, Router } from 'express';
import express from 'express';
import { jsonBody } from '../jsonBody.ts';
import { changeMetadata, type ObjectMetadata } from './metadata.ts';
import { checkObjectName } from './names.ts';
import type { Parts } from './parts.ts';
import { readPreconditions, requireMet } from './preconditions.ts';
import { integer } from './query.ts';
import { type Generation, toResource } from './resource.ts';

/** A copy is free, whatever holds its source. */
const withoutHolds = ({ temporaryHold: _, eventBasedHold: __, ...metadata }: ObjectMetadata) => metadata;

type Params = { bucket: string; object: string; toBucket: string; toObject: string };

/**
 * copyTo, rewriteTo and moveTo. The bytes of a generation never change, so that a copy shares them and is made at
 * once: no rewrite ever needs a second call.
 * https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite
 */
export function rewriteRoutes({ context, generations }: Parts): Router {
  const copy = (request: Request<Params>): Generation =>
    generations.change(() => {
      const { bucket, object, toBucket, toObject } = request.params;
      const source = generations.need(bucket, object, integer(request, 'sourceGeneration'));
      requireMet(readPreconditions(request, 'Source'), source);
      const body = (request.body ?? {}) as Record<string, unknown>;
      // Metadata in the body replaces the source's, all of it.
      const { contentType } = source.metadata;
      const metadata =
        Object.keys(body).length === 0
          ? withoutHolds(source.metadata)
          : changeMetadata(contentType === undefined ? {} : { contentType }, body);
      const target = { ...source, metadata, bucket: toBucket, name: checkObjectName(toObject) };
      return generations.put(target, readPreconditions(request));
    });

  const move = (request: Request<Params>): Generation =>
    generations.change(() => {
      const { bucket, object, toObject } = request.params;
      const source = generations.need(bucket, object);
      requireMet(readPreconditions(request, 'Source'), source);
      const name = checkObjectName(toObject);
      const moved = generations.put(
        { ...source, name, metadata: withoutHolds(source.metadata) },
        readPreconditions(request),
      );
      if (name !== source.name) generations.remove(source, false);
      return moved;
    });

  const note = ({ params }: Request<Params>, response: Response, op: string) => {
    response.locals.detail = { op: `objects.${op}`, object: params.toObject, from: params.object };
  };
  const from = '/storage/v1/b/:bucket/o/:object';
  return express
    .Router()
    .post(
      `${from}/copyTo/b/:toBucket/o/:toObject`,
      jsonBody(1e6),
      (request: Request<Params>, response: Response) => {
        note(request, response, 'copy');
        response.json(toResource(copy(request), context.origin()));
      },
    )
    .post(
      `${from}/rewriteTo/b/:toBucket/o/:toObject`,
      jsonBody(1e6),
      (request: Request<Params>, response: Response) => {
        note(request, response, 'rewrite');
        const object = copy(request);
        response.json({
          kind: 'storage#rewriteResponse',
          totalBytesRewritten: String(object.size),
          objectSize: String(object.size),
          done: true,
          resource: toResource(object, context.origin()),
        });
      },
    )
    .post(`${from}/moveTo/o/:toObject`, jsonBody(1e6), (request: Request<Params>, response: Response) => {
      note(request, response, 'move');
      response.json(toResource(move(request), context.origin()));
    });
}
