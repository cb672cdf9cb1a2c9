import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { type Publish, publishTo } from '../../shared/publish.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';

/** What a person looks at exports through, and asks for them. */
export type OpenExports = { records: Records; publish: Publish };

export async function openExports(): Promise<OpenExports> {
  const { stateBucket, project } = config();
  const [storage, pubsub] = await Promise.all([clients.storage(), clients.pubsub()]);
  return { records: recordsIn(storage, stateBucket), publish: publishTo(pubsub, project) };
}
