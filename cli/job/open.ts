import type { Bucket } from '@google-cloud/storage';
import { clients } from '../../shared/clients.ts';
import { type Config, config } from '../../shared/config.ts';
import { type Publish, publishTo } from '../../shared/publish.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';

/** What a person looks at jobs through, and submits them. */
export type OpenJobs = {
  records: Records;
  publish: Publish;
  derived: Bucket;
  /** The same bucket, for its lists and small objects. */
  derivedRecords: Records;
  config: Config;
};

export async function openJobs(): Promise<OpenJobs> {
  const { derivedBucket, stateBucket, project } = config();
  const [storage, pubsub] = await Promise.all([clients.storage(), clients.pubsub()]);
  return {
    records: recordsIn(storage, stateBucket),
    publish: publishTo(pubsub, project),
    derived: storage.bucket(derivedBucket),
    derivedRecords: recordsIn(storage, derivedBucket),
    config: config(),
  };
}
