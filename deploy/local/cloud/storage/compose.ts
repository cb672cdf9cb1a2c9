import { createReadStream } from 'node:fs';
import type { Request, Response, Router } from 'express';
import express from 'express';
import { z } from 'zod';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import { changeMetadata } from './metadata.ts';
import { checkObjectName } from './names.ts';
import type { Parts } from './parts.ts';
import { readPreconditions, requireMet } from './preconditions.ts';
import { int64 } from './query.ts';
import { receive, withBlob } from './receive.ts';
import { toResource } from './resource.ts';

const Source = z.object({
  name: z.string(),
  generation: int64.nullish(),
  objectPreconditions: z.object({ ifGenerationMatch: int64.nullish() }).nullish(),
});
const Body = z.object({
  sourceObjects: z.array(Source).min(1).max(32, 'The number of source components exceeds the maximum of 32.'),
  destination: z.record(z.string(), z.unknown()).default({}),
  deleteSourceObjects: z.boolean().default(false),
});

/** https://cloud.google.com/storage/docs/json_api/v1/objects/compose */
export function composeRoutes({ context, generations, followers }: Parts): Router {
  const compose = async (request: Request<{ bucket: string; object: string }>, response: Response) => {
    const { bucket, object } = request.params;
    response.locals.detail = { op: 'objects.compose', object };
    const name = checkObjectName(object);
    const conditions = readPreconditions(request);
    const parsed = Body.safeParse(request.body);
    if (!parsed.success) throw new GoogleError(400, 'invalid', z.prettifyError(parsed.error));
    const { sourceObjects, destination, deleteSourceObjects } = parsed.data;
    const metadata = changeMetadata({ contentType: 'application/octet-stream' }, destination);
    const sources = sourceObjects.map(({ name, generation, objectPreconditions }) => {
      const source = generations.need(bucket, name, generation ?? undefined);
      const { ifGenerationMatch } = objectPreconditions ?? {};
      if (typeof ifGenerationMatch === 'number') requireMet({ generationMatch: ifGenerationMatch }, source);
      return source;
    });
    requireMet(conditions, generations.find(bucket, name));

    const composed = await withBlob(context.store.newBlob('storage'), async (blob) => {
      const bytes = async function* () {
        for (const source of sources) yield* readAll(generations.path(source));
      };
      const content = await receive(bytes(), blob, followers);
      const components = sources.reduce((sum, source) => sum + (source.components ?? 1), 0);
      return generations.change(() => {
        const fresh = { bucket, name, blob, ...content, md5: null, metadata, components };
        const object = generations.put(fresh, conditions);
        if (deleteSourceObjects) {
          for (const source of sources) {
            const still = generations.find(bucket, source.name, source.generation);
            if (still && still.state === 'live') generations.remove(still, false);
          }
        }
        return object;
      });
    });
    response.json(toResource(composed, context.origin()));
  };
  return express.Router().post('/storage/v1/b/:bucket/o/:object/compose', jsonBody(1e6), compose);
}

async function* readAll(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new GoogleError(404, 'notFound', 'A source object was deleted meanwhile.');
  }
}
