import type { Records } from '../storage/records.ts';
import { Annotation, annotationFolder, annotationName, longFolder } from './annotation.ts';

/** An annotation, with the name of its record; or, in words, why it cannot be read. */
export type Listed = { record: string } & ({ annotation: Annotation } | { fault: string });

/**
 * The annotations of the stimuli whose names begin with `prefix`: by the names of their records, and those whose names are
 * too long for that at the end.
 * @param from the record to begin with
 */
export async function* listAnnotations(
  derived: Records,
  prefix: string,
  from?: string,
): AsyncIterable<Listed> {
  const isInLong = from?.startsWith(longFolder) && !`${annotationFolder}${prefix}`.startsWith(longFolder);
  if (!isInLong)
    for await (const record of derived.list(`${annotationFolder}${prefix}`, from)) {
      const listed = record.startsWith(longFolder) ? undefined : await readListed(derived, record);
      if (listed) yield listed;
    }
  for await (const record of derived.list(longFolder, isInLong ? from : undefined)) {
    const listed = await readListed(derived, record);
    if (!listed || ('annotation' in listed && !listed.annotation.stimulus.name.startsWith(prefix))) continue;
    yield listed;
  }
}

/** @returns undefined if there is none */
export async function findAnnotation(derived: Records, stimulus: string): Promise<Listed | undefined> {
  return readListed(derived, annotationName(stimulus));
}

async function readListed(derived: Records, record: string): Promise<Listed | undefined> {
  try {
    const found = await derived.read(record, Annotation);
    return found && { record, annotation: found.value };
  } catch (error) {
    return { record, fault: (error as Error).message };
  }
}
