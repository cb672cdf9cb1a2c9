import type { Bucket } from '@google-cloud/storage';
import type { RawObject } from '../storage/rawObject.ts';
import { readObject } from '../storage/readObject.ts';
import { Unprocessable } from '../unprocessable.ts';
import type { AnnotateImage } from './annotateImages.ts';
import type { Annotator, ContentAnnotation } from './annotation.ts';
import { areasOfImage } from './areasOfInterest.ts';
import type { ImageFeature } from './settings.ts';
import { OutOfUnits, type Units } from './units.ts';

/** https://cloud.google.com/vision/docs/supported-files */
const largestFile = 20 * 1024 * 1024;
const mostPixels = 75_000_000;
/** Where the size of nearly every picture stands; a JPEG may carry a preview or a colour profile before it. */
const header = 256 * 1024;

export type Described = Omit<ContentAnnotation, 'kind' | 'features' | 'annotatedAt'>;

export type DescribeImageDependencies = {
  annotateImage: () => Promise<AnnotateImage>;
  annotator: (service: Annotator['service']) => Promise<Annotator>;
  units: Units;
};

/** @throws OutOfUnits, Unprocessable for what Vision would refuse (it is not asked then) */
export async function describeImage(
  raw: Bucket,
  object: RawObject,
  features: ImageFeature[],
  { annotateImage, annotator, units }: DescribeImageDependencies,
): Promise<Described> {
  const { name, size } = object;
  if (size > largestFile) throw new Unprocessable(`${name} has ${size} bytes; Vision takes ${largestFile}`);
  const image = await sizeOf(raw, object);
  if (image.width * image.height > mostPixels) {
    throw new Unprocessable(
      `${name} has ${image.width} × ${image.height} pixels; Vision takes ${mostPixels} in all`,
    );
  }

  if (!(await units.take('vision', features.length))) throw new OutOfUnits('vision', features.length);
  let response: Awaited<ReturnType<AnnotateImage>>;
  try {
    response = await (await annotateImage())({ uri: `gs://${raw.name}/${name}`, features });
  } catch (error) {
    await units.giveBack('vision', features.length);
    throw error;
  }
  return {
    annotator: await annotator('vision.googleapis.com'),
    image,
    areasOfInterest: areasOfImage(response, image),
    problems: response.error?.message ? [response.error.message] : [],
    response,
  };
}

async function sizeOf(
  raw: Bucket,
  { name, generation, size }: RawObject,
): Promise<ContentAnnotation['image'] & {}> {
  const { imageSize } = await import('image-size');
  for (const end of [header, size]) {
    const content = await readObject(raw.file(name, { generation }), { end: end - 1 });
    // Memory of its own: in a buffer that is part of a larger one, the library reads on beyond the end.
    const bytes = new Uint8Array(content?.bytes ?? []);
    try {
      const { width, height, orientation } = imageSize(bytes);
      return { width, height, ...(orientation ? { orientation } : {}) };
    } catch (error) {
      if (end >= size) throw new Unprocessable(`${name} is not an image that can be read`, { cause: error });
    }
  }
  throw new Unprocessable(`${name} is empty`);
}
