import type { Bucket } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type { Config } from '../config.ts';
import { getFile } from '../drive/driveFile.ts';
import { filtersOf } from '../drive/filters.ts';
import type { PlanDependencies } from '../drive/planFile.ts';
import type { Publish } from '../publish.ts';
import type { Records } from '../storage/records.ts';

/** What `file-sync` is given to plan with, and what else a person looks at the sync through. */
export type OpenSync = PlanDependencies & {
  records: Records;
  publish: Publish;
  config: Config;
  sharedDrive: string | undefined;
};

export type SyncClients = { drive: drive_v3.Drive; raw: Bucket; records: Records; publish: Publish };

/** For one look: each folder on the way up is asked for once. */
export function openSync(clients: SyncClients, config: Config): OpenSync {
  const { studyFolder, sharedDrive, exports } = config;
  const folders = new Map<string, ReturnType<typeof getFile>>();
  return {
    ...clients,
    config,
    studyFolder,
    sharedDrive,
    policy: { exports, filters: filtersOf(config) },
    readFolder(id) {
      const folder = folders.get(id) ?? getFile(clients.drive, id);
      folders.set(id, folder);
      return folder;
    },
  };
}
