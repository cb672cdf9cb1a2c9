import type { Bucket } from '@google-cloud/storage';
import { kindOf, sniffedBytes } from '../shared/annotation/kindOf.ts';
import { settingsFile, settingsFor } from '../shared/annotation/settings.ts';
import type { Log } from '../shared/log.ts';
import type { Publish } from '../shared/publish.ts';
import { pagesOf } from '../shared/storage/pagesOf.ts';
import { readObject } from '../shared/storage/readObject.ts';
import type { ObjectArrived } from '../shared/trigger.ts';
import { Unprocessable } from '../shared/unprocessable.ts';

export type ObjectArrivedDependencies = { raw: Bucket; publish: Publish; log: Log };

/** Looks what has arrived in the raw bucket, and tells those whom it concerns. */
export async function objectArrived(
  { name, generation }: ObjectArrived,
  { raw, publish, log }: ObjectArrivedDependencies,
): Promise<void> {
  if (name === settingsFile || name.endsWith(`/${settingsFile}`))
    return settingsArrived(name, { raw, publish, log });
  if (isJob(name)) {
    await publish('job-requested', [{ data: { name, generation }, orderingKey: name }]);
    log.info('arrived', { object: name, kind: 'job' });
    return;
  }
  const start = await readObject(raw.file(name, { generation }), { end: sniffedBytes - 1 });
  // Removed or replaced in the meantime; what replaced it has an event of its own.
  if (!start) return;
  const kind = await kindOf(name, start.bytes);
  if (kind === 'image' || kind === 'text') {
    await publish('stimulus-arrived', [{ data: { name, generation, kind } }]);
  } else if (kind === 'recording') {
    await publish('recording-arrived', [{ data: { name, generation } }]);
  }
  log.info('arrived', { object: name, kind });
}

const isJob = (name: string) => /\.job\.ya?ml$/i.test(name);

/**
 * New settings count for what is there already: everything in their folder arrives again. What was annotated with the
 * same features costs nothing.
 */
async function settingsArrived(
  name: string,
  { raw, publish, log }: ObjectArrivedDependencies,
): Promise<void> {
  let objects = 0;
  for await (const { files } of pagesOf(raw, name.slice(0, -settingsFile.length))) {
    const others = files.filter((file) => !file.name.endsWith(settingsFile));
    await publish(
      'raw-object',
      others.map((file) => ({
        data: {},
        attributes: {
          eventType: 'OBJECT_FINALIZE',
          bucketId: raw.name,
          objectId: file.name,
          objectGeneration: String(file.metadata.generation),
        },
      })),
    );
    objects += others.length;
  }
  log.info('settings', { object: name, objects });
  const { problem } = await settingsFor(raw, name);
  if (problem) throw new Unprocessable(`${problem.object} is not used, the default is: ${problem.reason}`);
}
