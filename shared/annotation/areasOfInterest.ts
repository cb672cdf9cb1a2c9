import type { protos } from '@google-cloud/vision';
import * as z from 'zod';

/** A named region of a stimulus. */
export const AreaOfInterest = z.object({
  kind: z.enum(['object', 'face', 'word', 'logo', 'landmark', 'entity']),
  /** The object's name, the word, or empty for a face. */
  label: z.string(),
  /** 0 to 1; null where the model does not say. */
  confidence: z.number().nullable(),
  /** Pixels, from the picture's upper left corner; upright, even where the region is turned. */
  box: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }).optional(),
  /** Pixels; the corners in the order of Google: clockwise from the upper left of the region's own orientation. */
  polygon: z.array(z.tuple([z.number(), z.number()])).optional(),
  /** Of a text stimulus: UTF-16 code units, as in JavaScript, from `begin` to before `end`. */
  span: z.object({ begin: z.number(), end: z.number() }).optional(),
  /** What else the model said of it, such as a part of speech or an entity type. */
  about: z.record(z.string(), z.string()).optional(),
});
export type AreaOfInterest = z.infer<typeof AreaOfInterest>;

type ImageResponse = protos.google.cloud.vision.v1.IAnnotateImageResponse;
type Poly = protos.google.cloud.vision.v1.IBoundingPoly | null | undefined;
type Size = { width: number; height: number };

/**
 * Everything in a Vision response that has a place, in one flat list, in pixels.
 * https://cloud.google.com/vision/docs/reference/rest/v1/AnnotateImageResponse
 */
export function areasOfImage(response: ImageResponse, size: Size): AreaOfInterest[] {
  const area = (
    kind: AreaOfInterest['kind'],
    label: string,
    confidence: number | null | undefined,
    poly: Poly,
  ) => {
    const polygon = pixelsOf(poly, size);
    return polygon.length === 0
      ? []
      : [{ kind, label, confidence: confidence || null, box: boxOf(polygon), polygon }];
  };
  return [
    ...list(response.localizedObjectAnnotations).flatMap((object) =>
      area('object', object.name ?? '', object.score, object.boundingPoly),
    ),
    ...list(response.faceAnnotations).flatMap((face) =>
      area('face', '', face.detectionConfidence, face.boundingPoly ?? face.fdBoundingPoly),
    ),
    ...wordsOf(response).flatMap(({ text, confidence, boundingBox }) =>
      area('word', text, confidence, boundingBox),
    ),
    ...list(response.logoAnnotations).flatMap((logo) =>
      area('logo', logo.description ?? '', logo.score, logo.boundingPoly),
    ),
    ...list(response.landmarkAnnotations).flatMap((landmark) =>
      area('landmark', landmark.description ?? '', landmark.score, landmark.boundingPoly),
    ),
  ];
}

function wordsOf({ fullTextAnnotation }: ImageResponse) {
  const blocks = list(fullTextAnnotation?.pages).flatMap(({ blocks }) => list(blocks));
  const words = blocks.flatMap(({ paragraphs }) => list(paragraphs)).flatMap(({ words }) => list(words));
  return words.map(({ symbols, confidence, boundingBox }) => ({
    text: list(symbols)
      .map(({ text }) => text ?? '')
      .join(''),
    confidence,
    boundingBox,
  }));
}

/**
 * Vision leaves out a coordinate that is zero, and sends normalized vertices (0 to 1) for some features and pixels for
 * others. https://github.com/GoogleCloudPlatform/cloud-vision/issues/68
 */
function pixelsOf(poly: Poly, { width, height }: Size): [number, number][] {
  const normalized = list(poly?.normalizedVertices);
  if (normalized.length > 0)
    return normalized.map(({ x, y }) => [round((x ?? 0) * width), round((y ?? 0) * height)]);
  return list(poly?.vertices).map(({ x, y }) => [x ?? 0, y ?? 0]);
}

/** By smallest and largest: turned text keeps the order of its corners, not their place on the screen. */
function boxOf(polygon: [number, number][]) {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: round(Math.max(...xs) - x), height: round(Math.max(...ys) - y) };
}

const list = <T>(values: T[] | null | undefined): T[] => values ?? [];
const round = (pixels: number) => Math.round(pixels * 100) / 100;
