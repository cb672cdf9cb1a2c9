import type { Request, RequestHandler, Response, Router } from 'express';
import express from 'express';
import { GoogleError } from '../googleError.ts';
import { type ExpectedHashes, hashesInHeaders, requireHashes } from './hashes.ts';
import { changeMetadata, type ObjectMetadata } from './metadata.ts';
import { boundaryOf, type Part, readParts, readSmall } from './multipart.ts';
import { checkObjectName } from './names.ts';
import type { Parts } from './parts.ts';
import { type Preconditions, readPreconditions, requireMet } from './preconditions.ts';
import { text } from './query.ts';
import { receive, withBlob } from './receive.ts';
import { type Generation, toResource } from './resource.ts';

/** What a client says about an object before, or beside, its bytes. */
export type Insert = {
  bucket: string;
  name: string;
  metadata: ObjectMetadata;
  conditions: Preconditions;
  expected: ExpectedHashes;
};

/** The name may be in the address or in the JSON; the content type in the JSON wins over the header. */
export function readInsert(
  request: Request<{ bucket: string }>,
  json: unknown,
  contentType?: string,
): Insert {
  const body = (json ?? {}) as Record<string, unknown>;
  const contentEncoding = text(request, 'contentEncoding');
  const metadata = changeMetadata(
    {
      contentType: contentType || 'application/octet-stream',
      ...(contentEncoding === undefined ? {} : { contentEncoding }),
    },
    body,
  );
  const { md5Hash, crc32c } = body;
  return {
    bucket: request.params.bucket,
    name: checkObjectName(text(request, 'name') ?? body.name),
    metadata,
    conditions: readPreconditions(request),
    expected: {
      ...hashesInHeaders(request),
      ...(typeof md5Hash === 'string' ? { md5: md5Hash } : {}),
      ...(typeof crc32c === 'string' ? { crc32c } : {}),
    },
  };
}

/** Refuses at once what would be refused in the end, before gigabytes are sent in vain. */
export function refuseEarly({ buckets, generations }: Parts, { bucket, name, conditions }: Insert): void {
  buckets.need(bucket);
  requireMet(conditions, generations.find(bucket, name));
}

/** Stores a body that comes in one piece, or nothing. */
export function store(parts: Parts, insert: Insert, body: AsyncIterable<Buffer>): Promise<Generation> {
  const { context, generations, followers } = parts;
  refuseEarly(parts, insert);
  return withBlob(context.store.newBlob('storage'), async (blob) => {
    const content = await receive(body, blob, followers);
    requireHashes(insert.expected, content);
    return generations.change(() => generations.put({ ...insert, ...content, blob }, insert.conditions));
  });
}

/** https://cloud.google.com/storage/docs/json_api/v1/objects/insert */
export function insertRoutes(parts: Parts, startSession: RequestHandler<{ bucket: string }>): Router {
  const answer = (response: Response, made: Generation) => {
    // The client may be gone; what was made counts all the same.
    response.locals.detail.generation = made.generation;
    response.json(toResource(made, parts.context.origin()));
  };
  const insert: RequestHandler<{ bucket: string }> = async (request, response, next) => {
    switch (text(request, 'uploadType')) {
      case 'resumable':
        return startSession(request, response, next);
      case 'media': {
        const asked = readInsert(request, {}, request.get('content-type'));
        response.locals.detail = { op: 'objects.insert', object: asked.name };
        answer(response, await store(parts, asked, request));
        return;
      }
      case 'multipart': {
        const bodies = readParts(request, boundaryOf(request.get('content-type')));
        const json = parseJson(await readSmall((await nextPart(bodies)).body, 1e6));
        const { headers, body } = await nextPart(bodies);
        const asked = readInsert(request, json, headers.get('content-type'));
        response.locals.detail = { op: 'objects.insert', object: asked.name };
        const whole = async function* () {
          yield* body;
          if (!(await bodies.next()).done) throw new GoogleError(400, 'badContent', 'Expected two parts.');
        };
        answer(response, await store(parts, asked, whole()));
        return;
      }
      default:
        throw new GoogleError(400, 'badRequest', 'Expected uploadType=media, multipart or resumable.');
    }
  };
  const paths = ['/upload/storage/v1/b/:bucket/o', '/resumable/upload/storage/v1/b/:bucket/o'];
  return express.Router().post(paths, insert);
}

async function nextPart(parts: AsyncGenerator<Part>): Promise<Part> {
  const { done, value } = await parts.next();
  if (done)
    throw new GoogleError(400, 'badContent', 'Expected two parts: JSON, and the bytes of the object.');
  return value;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString() || '{}');
  } catch {
    throw new GoogleError(400, 'parseError', 'The first part is not valid JSON.');
  }
}
