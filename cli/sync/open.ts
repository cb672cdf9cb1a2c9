import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { publishTo } from '../../shared/publish.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { type OpenSync, openSync as openWith } from '../../shared/sync/openSync.ts';

export async function openSync(): Promise<OpenSync> {
  const { rawBucket, stateBucket, project } = config();
  const [drive, storage, pubsub] = await Promise.all([clients.drive(), clients.storage(), clients.pubsub()]);
  const raw = storage.bucket(rawBucket);
  const records = recordsIn(storage, stateBucket);
  return openWith({ drive, raw, records, publish: publishTo(pubsub, project) }, config());
}
