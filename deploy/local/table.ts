import Table from 'cli-table3';
import { Annotation, annotationName } from '../../shared/annotation/annotation.ts';
import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { listAttention } from '../../shared/drive/fileRecord.ts';
import { sizeOf } from '../../shared/sizeOf.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { listProblems } from '../../shared/unprocessable.ts';

/** What is in the raw bucket, what was made of it, and what could not be processed. */
export async function tableOf(): Promise<string> {
  const storage = await clients.storage();
  const { rawBucket, derivedBucket, stateBucket } = config();
  const derived = recordsIn(storage, derivedBucket);
  const table = new Table({
    head: ['object', 'size', 'words', 'objects', 'faces', 'entities', 'by'],
    style: { head: [], border: [], compact: true },
  });
  for await (const name of recordsIn(storage, rawBucket).list('')) {
    const [{ size }] = await storage.bucket(rawBucket).file(name).getMetadata();
    const annotation = (await derived.read(annotationName(name), Annotation))?.value;
    const count = (kind: string) =>
      annotation?.areasOfInterest.filter((area) => area.kind === kind).length || '';
    const by = annotation ? (annotation.annotator.local ? 'local models' : annotation.annotator.service) : '';
    table.push([
      name,
      sizeOf(Number(size)),
      count('word'),
      count('object'),
      count('face'),
      count('entity'),
      by,
    ]);
  }
  const problems: string[] = [];
  const state = recordsIn(storage, stateBucket);
  for await (const { function: by, reason } of listProblems(state)) problems.push(`✗ ${by}: ${reason}`);
  for await (const { kind, path, reason } of listAttention(state))
    problems.push(`– ${path.join('/')} is ${kind}: ${reason}`);
  return [table.toString(), ...problems].join('\n');
}
