import type { LanguageServiceClient } from '@google-cloud/language';
import type { Bucket } from '@google-cloud/storage';
import * as z from 'zod';
import type { AnnotateImage } from '../shared/annotation/annotateImages.ts';
import {
  Annotation,
  type Annotator,
  annotationName,
  ContentAnnotation,
  contentName,
} from '../shared/annotation/annotation.ts';
import { describeImage } from '../shared/annotation/describeImage.ts';
import { describeText } from '../shared/annotation/describeText.ts';
import { settingsFor } from '../shared/annotation/settings.ts';
import { OutOfUnits, type Units } from '../shared/annotation/units.ts';
import type { Log } from '../shared/log.ts';
import { NotYet, once } from '../shared/once.ts';
import { lookAtObject } from '../shared/storage/rawObject.ts';
import type { Records } from '../shared/storage/records.ts';
import { Unprocessable } from '../shared/unprocessable.ts';

export const Stimulus = z.object({
  /** Of the object in the raw bucket. */
  name: z.string(),
  generation: z.string(),
  kind: z.enum(['image', 'text']),
});
export type Stimulus = z.infer<typeof Stimulus>;

export type AnnotateDependencies = {
  raw: Bucket;
  derived: Records;
  records: Records;
  annotateImage: () => Promise<AnnotateImage>;
  language: () => Promise<LanguageServiceClient>;
  annotator: (service: Annotator['service']) => Promise<Annotator>;
  units: Units;
  /** Keeps a stimulus for a day that has units again. */
  wait: (stimulus: Stimulus) => Promise<void>;
  log: Log;
  now: () => Date;
};

/** Longer than a call with all its retries may take; then a claim counts as that of a dead process. */
const lease = 10 * 60 * 1000;

/**
 * Annotates one stimulus. What is known of its bytes with these features is used again, wherever they lay when it was
 * paid for.
 */
export async function annotate(stimulus: Stimulus, dependencies: AnnotateDependencies): Promise<void> {
  const { raw, derived, records, wait, log, now } = dependencies;
  const { name, generation, kind } = stimulus;
  const object = await lookAtObject(raw, name);
  // Removed or replaced in the meantime; what replaced it has a message of its own.
  if (object?.generation !== generation) return;
  if (!object.md5) throw new Unprocessable(`${name} has no MD5, so it was not written by the sync`);

  const { settings, from, problem } = await settingsFor(raw, name);
  const features = kind === 'image' ? settings.annotate.images : settings.annotate.texts;
  if (features.length === 0)
    return log.info('not annotated', { object: name, because: `${from} switches it off` });

  const contentRecord = contentName(object.md5, features);
  let reused = true;
  const annotateContent = async () => {
    const describe =
      kind === 'image'
        ? describeImage(raw, object, settings.annotate.images, dependencies)
        : describeText(raw, object, settings.annotate.texts, dependencies);
    const content: ContentAnnotation = {
      ...(await describe),
      kind,
      features,
      annotatedAt: now().toISOString(),
    };
    // The service read the object by its name: was it still the same one?
    if ((await lookAtObject(raw, name))?.generation !== generation)
      throw new NotYet(`${name} changed meanwhile`);
    await derived.write(contentRecord, content, '0');
    reused = false;
    return content;
  };
  try {
    const known = async () => (await derived.read(contentRecord, ContentAnnotation))?.value;
    const content = await once(records, `${kind}/${contentRecord}`, known, annotateContent, {
      lease,
      now: () => now().getTime(),
    });
    await keep(stimulus, content);
    log.info('annotated', { object: name, reused, areas: countsOf(content), problems: content.problems });
  } catch (error) {
    if (!(error instanceof OutOfUnits)) throw error;
    await wait(stimulus);
    log.warning('waits for tomorrow', { object: name, reason: error.message });
  }

  async function keep({ name, generation }: Stimulus, content: ContentAnnotation): Promise<void> {
    const { md5, size, contentType, metadata } = object as NonNullable<typeof object>;
    const annotation: Annotation = {
      stimulus: {
        bucket: raw.name,
        name,
        generation,
        md5,
        size,
        contentType,
        driveFileId: metadata['drive-file-id'],
      },
      settings: { from: from ?? null, ...(problem ? { problem: problem.reason } : {}) },
      ...content,
    };
    await derived.update(annotationName(name), Annotation, (before) => {
      // Generations rise: an old delivery must not replace what is known of newer bytes.
      if (before && BigInt(before.stimulus.generation) > BigInt(generation)) return undefined;
      return annotation;
    });
  }
}

/** `{ word: 64, object: 3, face: 1 }` */
function countsOf({ areasOfInterest }: ContentAnnotation): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of areasOfInterest) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
