import { BadRecord, type Records } from '../storage/records.ts';
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
    yield* readAll(derived, derived.list(`${annotationFolder}${prefix}`, from), (record) =>
      record.startsWith(longFolder),
    );
  for await (const listed of readAll(derived, derived.list(longFolder, isInLong ? from : undefined)))
    if (!('annotation' in listed) || listed.annotation.stimulus.name.startsWith(prefix)) yield listed;
}

/** @returns undefined if there is none */
export async function findAnnotation(derived: Records, stimulus: string): Promise<Listed | undefined> {
  return readListed(derived, annotationName(stimulus));
}

const mostAtATime = 16;

/** In their order, but several at a time: the more of them are wanted, the more. */
async function* readAll(
  derived: Records,
  records: AsyncIterable<string>,
  isPassedOver: (record: string) => boolean = () => false,
): AsyncIterable<Listed> {
  let atATime = 2;
  let waiting: string[] = [];
  const read = async () => {
    const listed = await Promise.all(waiting.map((record) => readListed(derived, record)));
    return listed.filter((one) => one !== undefined);
  };
  for await (const record of records) {
    if (isPassedOver(record)) continue;
    waiting.push(record);
    if (waiting.length < atATime) continue;
    yield* await read();
    waiting = [];
    atATime = Math.min(atATime * 2, mostAtATime);
  }
  yield* await read();
}

async function readListed(derived: Records, record: string): Promise<Listed | undefined> {
  try {
    const found = await derived.read(record, Annotation);
    return found && { record, annotation: found.value };
  } catch (error) {
    // No answer is another thing: then it may well be there.
    if (!(error instanceof BadRecord)) throw error;
    return { record, fault: error.message };
  }
}
