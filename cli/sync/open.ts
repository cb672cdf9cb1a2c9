import { clients } from '../../shared/clients.ts';
import { type Config, config } from '../../shared/config.ts';
import { getFile } from '../../shared/drive/driveFile.ts';
import { filtersOf } from '../../shared/drive/filters.ts';
import type { PlanDependencies } from '../../shared/drive/planFile.ts';
import { type Publish, publishTo } from '../../shared/publish.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';

/** What `file-sync` is given to plan with, and what else a person looks at the sync through. */
export type OpenSync = PlanDependencies & {
  records: Records;
  publish: Publish;
  config: Config;
  sharedDrive: string | undefined;
};

export async function openSync(): Promise<OpenSync> {
  const { studyFolder, sharedDrive, exports, rawBucket, stateBucket, project, ...options } = config();
  const [drive, storage, pubsub] = await Promise.all([clients.drive(), clients.storage(), clients.pubsub()]);
  // A look at the tree takes minutes at most: each folder on the way up is asked for once.
  const folders = new Map<string, ReturnType<typeof getFile>>();
  return {
    drive,
    raw: storage.bucket(rawBucket),
    records: recordsIn(storage, stateBucket),
    publish: publishTo(pubsub, project),
    config: config(),
    studyFolder,
    sharedDrive,
    policy: { exports, filters: filtersOf(options) },
    readFolder(id) {
      const folder = folders.get(id) ?? getFile(drive, id);
      folders.set(id, folder);
      return folder;
    },
  };
}
