import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { loadProtoJson } from '../protoJson.ts';
import { answerJobs } from '../workers.ts';
import { dominantColours } from './colours.ts';
import { faceAnnotations } from './faces.ts';
import { look } from './human.ts';
import { ImageError } from './imageError.ts';
import { localizedObjects } from './objects.ts';
import { decode } from './picture.ts';
import { readText } from './text.ts';

export type ImageJob = {
  /** The file's bytes, or the path where they lie. */
  image: Uint8Array | string;
  /** The features asked for, and how many results of each (0: all). */
  features: Record<string, number>;
  numericEnums: boolean;
};

const available = new Set([
  'TEXT_DETECTION',
  'DOCUMENT_TEXT_DETECTION',
  'OBJECT_LOCALIZATION',
  'FACE_DETECTION',
  'LABEL_DETECTION',
  'IMAGE_PROPERTIES',
]);

const protos = loadProtoJson(
  createRequire(import.meta.url).resolve('@google-cloud/vision/build/protos/protos.json'),
);

/** The AnnotateImageResponse of one image, as JSON text: it can be long, and is only passed on. */
answerJobs<ImageJob, string>(async ({ image, features, numericEnums }) => {
  const response = await annotate(image, features).catch((error: unknown) => {
    if (error instanceof ImageError) return { error: { code: error.code, message: error.message } };
    throw error;
  });
  const json = (await protos).write('google.cloud.vision.v1.AnnotateImageResponse', response, {
    numericEnums,
  });
  return JSON.stringify(json);
});

async function annotate(image: ImageJob['image'], features: ImageJob['features']): Promise<object> {
  const asked = (...names: string[]) => names.some((name) => name in features);
  const picture = decode(typeof image === 'string' ? await readFile(image) : image);
  const labels = asked('LABEL_DETECTION');
  const wanted = {
    faces: labels || asked('FACE_DETECTION'),
    objects: labels || asked('OBJECT_LOCALIZATION'),
    text: labels || asked('TEXT_DETECTION', 'DOCUMENT_TEXT_DETECTION'),
  };
  // Tesseract has a thread of its own, so it reads while the other models look.
  const [looked, read] = await Promise.all([
    wanted.faces || wanted.objects ? look(picture, wanted) : undefined,
    wanted.text ? readText(picture) : undefined,
  ]);
  const objects = looked ? localizedObjects(looked) : [];
  const faces = looked ? faceAnnotations(looked, picture) : [];

  const most = <T>(feature: string, results: T[]) => results.slice(0, features[feature] || undefined);
  return {
    ...(asked('FACE_DETECTION') && { faceAnnotations: most('FACE_DETECTION', faces) }),
    ...(asked('OBJECT_LOCALIZATION') && { localizedObjectAnnotations: most('OBJECT_LOCALIZATION', objects) }),
    ...(asked('TEXT_DETECTION', 'DOCUMENT_TEXT_DETECTION') && read),
    ...(labels && { labelAnnotations: most('LABEL_DETECTION', labelsOf(objects, faces, read)) }),
    ...(asked('IMAGE_PROPERTIES') && {
      imagePropertiesAnnotation: {
        dominantColors: { colors: most('IMAGE_PROPERTIES', dominantColours(picture)) },
      },
    }),
    ...notAvailable(Object.keys(features)),
  };
}

/** Only what was detected: each kind of object, faces and text, as sure as the surest of them. */
function labelsOf(
  objects: { name: string; score: number }[],
  faces: { detectionConfidence: number }[],
  read: Awaited<ReturnType<typeof readText>> | undefined,
): object[] {
  const scores = new Map<string, number>();
  const note = (name: string, score: number) => scores.set(name, Math.max(score, scores.get(name) ?? 0));
  for (const { name, score } of objects) note(name, score);
  for (const { detectionConfidence } of faces) note('Face', detectionConfidence);
  const page = read?.fullTextAnnotation?.pages[0];
  if (page) note('Text', page.confidence);
  return [...scores]
    .map(([description, score]) => ({ description, score, topicality: score }))
    .sort((a, b) => b.score - a.score);
}

/** What was answered stands beside the error: "filled-in annotations are guaranteed to be correct". */
function notAvailable(features: string[]): object {
  const missing = features.filter((feature) => !available.has(feature));
  if (missing.length === 0) return {};
  const [names, verb] = [missing.join(', '), missing.length > 1 ? 'are' : 'is'];
  return { error: { code: 12, message: `${names} ${verb} not available from the local models` } };
}
