import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import express, { type Request } from 'express';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import { versionsOf } from '../models.ts';
import { loadProtoJson, type ProtoJson, wantsNumericEnums } from '../protoJson.ts';
import type { Context, ReadObject, Service } from '../service.ts';
import { createWorkers, WorkerError } from '../workers.ts';
import { ImageError } from './imageError.ts';
import type { ImageJob } from './worker.ts';

type Image = { content?: Uint8Array; source?: { imageUri?: string; gcsImageUri?: string } };
type Feature = { type?: string; maxResults?: number };
type BatchAnnotateImages = { requests?: { image?: Image; features?: Feature[] }[] };
type BatchAnnotateFiles = { requests?: object[] };

/** https://cloud.google.com/vision/quotas#limits */
const limits = { images: 16, fileBytes: 20 * 2 ** 20, requestBytes: 10 * 2 ** 20 };
const place = '(?:projects/[^/]+/(?:locations/[^/]+/)?)?';

/**
 * Vision v1, `images:annotate`, answered by models that run here. What they cannot do is an error of the image.
 * https://cloud.google.com/vision/docs/reference/rest/v1/images/annotate
 */
export function createVision(_context: Context, { readObject }: { readObject: ReadObject }): Service {
  const workers = createWorkers<ImageJob, string>(new URL('./worker.ts', import.meta.url), {
    size: Math.min(2, availableParallelism()),
    milliseconds: 60_000,
  });
  let protos: Promise<ProtoJson> | undefined;
  const read = async <T extends object>(type: string, { body }: Request): Promise<T> => {
    protos ??= loadProtoJson(
      createRequire(import.meta.url).resolve('@google-cloud/vision/build/protos/protos.json'),
    );
    return (await protos).read(`google.cloud.vision.v1.${type}`, body ?? {}) as T;
  };

  const router = express
    .Router()
    .use(...jsonBody(limits.requestBytes))
    .post(new RegExp(`^/v1/${place}images:annotate$`), async (request, response) => {
      const { requests = [] } = await read<BatchAnnotateImages>('BatchAnnotateImagesRequest', request);
      checkBatch(requests);
      response.locals.detail = {
        op: 'images.annotate',
        images: requests.length,
        features: countFeatures(requests.flatMap(({ features = [] }) => features)),
      };
      const numericEnums = wantsNumericEnums(request.query);
      const answers = requests.map(async ({ image, features = [] }) => {
        try {
          const asked = features.map(({ type = 'TYPE_UNSPECIFIED', maxResults = 0 }) => [type, maxResults]);
          const job = {
            image: bytesOf(image, readObject),
            features: Object.fromEntries(asked),
            numericEnums,
          };
          return await workers.ask(job);
        } catch (error) {
          return JSON.stringify({ error: statusOf(error) });
        }
      });
      response.type('json').send(`{"responses":[${(await Promise.all(answers)).join(',')}]}`);
    })
    .post(new RegExp(`^/v1/${place}files:annotate$`), async (request, response) => {
      const { requests = [] } = await read<BatchAnnotateFiles>('BatchAnnotateFilesRequest', request);
      const error = { code: 12, message: 'PDF, TIFF and GIF files are not available to the local models' };
      response.json({ responses: requests.map(() => ({ error })) });
    })
    .use((request) => {
      throw new GoogleError(501, 'notImplemented', `${request.path} is not available from the local models`);
    });

  return {
    name: 'vision',
    owns: new RegExp(`^/v1/${place}(?:images|files):`),
    router,
    pending: () => 0,
    models: versionsOf(
      'tesseract.js',
      '@tesseract.js-data/eng',
      '@vladmandic/human',
      '@tensorflow/tfjs-backend-wasm',
    ),
    close: () => workers.close(),
  };
}

function checkBatch(requests: NonNullable<BatchAnnotateImages['requests']>): void {
  if (requests.length > limits.images) {
    const message = `Too many images per request: ${requests.length}, at most ${limits.images}.`;
    throw new GoogleError(400, 'badRequest', message);
  }
  if (requests.length === 0 || requests.some(({ image, features }) => !image || !features))
    throw new GoogleError(400, 'badRequest', 'Request must specify image and features.');
}

function countFeatures(features: Feature[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type = 'TYPE_UNSPECIFIED' } of features) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

/** The bytes that came, or the path of the object that was named. */
function bytesOf({ content, source }: Image = {}, readObject: ReadObject): Uint8Array | string {
  const uri = source?.imageUri || source?.gcsImageUri;
  if (content?.length && uri)
    throw new ImageError(3, 'Only one of image content and uri should be specified.');
  if (content?.length) return content;
  if (!uri) throw new ImageError(3, 'No image present.');
  const [, bucket = '', name = ''] = /^gs:\/\/([^/]+)\/(.+)$/s.exec(uri) ?? [];
  if (!bucket) {
    // Fetching would let anyone who can reach this port look into the network behind it.
    if (/^https?:/i.test(uri)) throw new ImageError(7, `The local cloud opens no URLs but gs://: ${uri}`);
    throw new ImageError(3, `Invalid image URI: ${uri}`);
  }
  const object = readObject(bucket, name);
  if (!object) throw new ImageError(7, `Error opening file: ${uri}.`);
  if (object.size > limits.fileBytes)
    throw new ImageError(3, `${uri} has ${object.size} bytes, more than ${limits.fileBytes}.`);
  return object.path;
}

/** A google.rpc.Status: INVALID_ARGUMENT and the like, DEADLINE_EXCEEDED, INTERNAL, or UNAVAILABLE. */
function statusOf(error: unknown): { code: number; message: string } {
  if (error instanceof ImageError) return { code: error.code, message: error.message };
  if (!(error instanceof WorkerError)) throw error;
  const code = { late: 4, threw: 13, died: 14, closed: 14 }[error.reason];
  return { code, message: `The local model failed: ${error.message}` };
}
