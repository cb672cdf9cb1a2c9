import { createHash } from 'node:crypto';
import * as z from 'zod';
import { AreaOfInterest } from './areasOfInterest.ts';

/** Who answered. A result of a local stand-in says so, wherever it is read. */
export const Annotator = z.object({
  service: z.enum(['vision.googleapis.com', 'language.googleapis.com']),
  version: z.literal('v1'),
  local: z.boolean(),
  /** Of a local stand-in: the models behind the answer and their versions. */
  models: z.record(z.string(), z.string()).optional(),
});
export type Annotator = z.infer<typeof Annotator>;

/** What is known of some content, whatever it is called and wherever it lies: `content/<md5>/<features>.json`. */
export const ContentAnnotation = z.object({
  kind: z.enum(['image', 'text']),
  features: z.array(z.string()),
  annotator: Annotator,
  annotatedAt: z.iso.datetime(),
  /** Pixels, as stored; the EXIF orientation (1 to 8) is not applied. */
  image: z.object({ width: z.number(), height: z.number(), orientation: z.number().optional() }).optional(),
  areasOfInterest: z.array(AreaOfInterest),
  /** What could not be had, in words. */
  problems: z.array(z.string()),
  /** The service's answer, whole. */
  response: z.unknown(),
});
export type ContentAnnotation = z.infer<typeof ContentAnnotation>;

/** The annotation of one stimulus: `annotations/<object name>.json` in the derived bucket. */
export const Annotation = ContentAnnotation.extend({
  stimulus: z.object({
    bucket: z.string(),
    name: z.string(),
    generation: z.string(),
    /** Hexadecimal. */
    md5: z.string(),
    size: z.number(),
    contentType: z.string(),
    driveFileId: z.string().optional(),
  }),
  settings: z.object({
    /** The `gazeline.yaml` that chose the features; null for the default. */
    from: z.string().nullable(),
    problem: z.string().optional(),
  }),
});
export type Annotation = z.infer<typeof Annotation>;

export const annotationFolder = 'annotations/';
export const longFolder = `${annotationFolder}%long/`;

/** By the object's name, for a person to find; by its hash where that makes no name any more. */
export function annotationName(objectName: string): string {
  const name = `${annotationFolder}${objectName}.json`;
  if (Buffer.byteLength(name) <= 1024) return name;
  return `${longFolder}${createHash('sha256').update(objectName).digest('hex')}.json`;
}
export const contentName = (md5: string, features: string[]) => `content/${md5}/${features.join('+')}.json`;
