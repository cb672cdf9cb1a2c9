import type { ImageAnnotatorClient, protos } from '@google-cloud/vision';
import DataLoader from 'dataloader';
import { Unprocessable } from '../unprocessable.ts';
import { type ImageFeature, imageFeatures } from './settings.ts';

export type ImageRequest = { uri: string; features: ImageFeature[] };
export type ImageResponse = protos.google.cloud.vision.v1.IAnnotateImageResponse;
export type AnnotateImage = (request: ImageRequest) => Promise<ImageResponse>;

/** https://cloud.google.com/vision/quotas */
const imagesPerRequest = 16;

/** google.rpc.Code. Those that may be otherwise next time: the delivery comes again. */
const transient = new Set([1, 4, 8, 10, 13, 14, 16]);
const unimplemented = 12;

/**
 * Annotates one image; images that are asked for within `window` milliseconds of each other share a request. An error
 * of one does not touch the others.
 */
export function annotateImages(
  vision: ImageAnnotatorClient,
  { window = 20 }: { window?: number } = {},
): AnnotateImage {
  const loader = new DataLoader<ImageRequest, ImageResponse>(
    async (requests) => {
      const [{ responses }] = await vision.batchAnnotateImages({
        requests: requests.map(({ uri, features }) => ({
          image: { source: { imageUri: uri } },
          features: features.map((feature) => ({ type: imageFeatures[feature] })),
        })),
      });
      return requests.map(
        ({ uri }, index) => responses?.[index] ?? new Error(`Vision did not answer for ${uri}`),
      );
    },
    {
      cache: false,
      maxBatchSize: imagesPerRequest,
      batchScheduleFn: (run) => setTimeout(run, window),
    },
  );
  return async (request) => {
    const response = await loader.load(request);
    const { code, message } = response.error ?? {};
    // What is filled in beside an error is right, says the API; only a feature that does not exist leaves it useful.
    if (!code || code === unimplemented) return response;
    if (transient.has(code))
      throw new Error(`Vision could not annotate the image: ${message} (code ${code})`);
    throw new Unprocessable(`Vision does not take the image: ${message} (code ${code})`);
  };
}
