import type { Bucket } from '@google-cloud/storage';
import * as z from 'zod';
import { readObject } from '../storage/readObject.ts';

/** The names that people choose features by, and Google's. https://cloud.google.com/vision/docs/features-list */
export const imageFeatures = {
  text: 'DOCUMENT_TEXT_DETECTION',
  objects: 'OBJECT_LOCALIZATION',
  faces: 'FACE_DETECTION',
  labels: 'LABEL_DETECTION',
  colours: 'IMAGE_PROPERTIES',
  landmarks: 'LANDMARK_DETECTION',
  logos: 'LOGO_DETECTION',
  web: 'WEB_DETECTION',
  'safe-search': 'SAFE_SEARCH_DETECTION',
  'crop-hints': 'CROP_HINTS',
} as const;

/** https://cloud.google.com/natural-language/docs/reference/rest/v1/documents/annotateText#Features */
export const textFeatures = {
  syntax: 'extractSyntax',
  entities: 'extractEntities',
  sentiment: 'extractDocumentSentiment',
  'entity-sentiment': 'extractEntitySentiment',
  categories: 'classifyText',
  moderation: 'moderateText',
} as const;

export type ImageFeature = keyof typeof imageFeatures;
export type TextFeature = keyof typeof textFeatures;

const keys = <T extends object>(of: T) => Object.keys(of) as [keyof T & string, ...(keyof T & string)[]];
const unique = <T>(list: T[]) => [...new Set(list)].sort();
/** Says what was written, too: a person looks for that in the file. */
const oneOf = <T extends object>(of: T) =>
  z.enum(keys(of), {
    error: ({ input }) => `“${String(input).slice(0, 50)}” is none of ${keys(of).join(', ')}`,
  });

/**
 * `gazeline.yaml`: what is annotated in its folder and below. An empty list switches a kind off. What costs nothing to
 * look at later (the response is kept whole) is not worth a second call, so the default takes what most studies need.
 */
export const Settings = z.strictObject({
  annotate: z.preprocess(
    // A key with nothing after it is null.
    (value) => value ?? {},
    z.strictObject({
      images: z
        .array(oneOf(imageFeatures))
        .transform(unique)
        .default(['colours', 'faces', 'objects', 'text']),
      texts: z.array(oneOf(textFeatures)).transform(unique).default(['entities', 'sentiment', 'syntax']),
    }),
  ),
});
export type Settings = z.infer<typeof Settings>;

export const settingsFile = 'gazeline.yaml';
export const defaultSettings: Settings = Settings.parse({});
const settingsLimit = 64 * 1024;

export type FoundSettings = {
  settings: Settings;
  /** The object they come from; undefined for the default. */
  from: string | undefined;
  /** Why the nearest file could not be used; the default counts then, not a file further up. */
  problem?: { object: string; reason: string };
};

/** The settings of the nearest `gazeline.yaml` in the folder of an object or above it. */
export async function settingsFor(raw: Bucket, objectName: string): Promise<FoundSettings> {
  for (const candidate of candidatesFor(objectName)) {
    const file = await readObject(raw.file(candidate), { end: settingsLimit });
    if (!file) continue;
    const parsed = await parseSettings(file.bytes);
    if (parsed.success) return { settings: parsed.data, from: candidate };
    const problem = { object: candidate, reason: parsed.reason };
    return { settings: defaultSettings, from: undefined, problem };
  }
  return { settings: defaultSettings, from: undefined };
}

/** `a/b/c.png` is ruled by `a/b/gazeline.yaml`, `a/gazeline.yaml` or `gazeline.yaml`, in this order. */
function candidatesFor(objectName: string): string[] {
  const folders = objectName.split('/').slice(0, -1);
  return Array.from({ length: folders.length + 1 }, (_, up) =>
    [...folders.slice(0, folders.length - up), settingsFile].join('/'),
  );
}

export async function parseSettings(
  bytes: Buffer,
): Promise<{ success: true; data: Settings } | { success: false; reason: string }> {
  if (bytes.length > settingsLimit) return { success: false, reason: `larger than ${settingsLimit} bytes` };
  try {
    const { parse } = (await import('yaml')).default;
    const settings = Settings.safeParse(parse(bytes.toString()) ?? {});
    if (settings.success) return settings;
    return { success: false, reason: z.prettifyError(settings.error) };
  } catch (error) {
    return { success: false, reason: (error as Error).message };
  }
}
