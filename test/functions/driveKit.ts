import { Readable } from 'node:stream';
import type { Bucket } from '@google-cloud/storage';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type * as z from 'zod';
import { type FileSyncDependencies, fileSync } from '../../functions/file-sync.ts';
import { clients, openDrive } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { folderType, getFile } from '../../shared/drive/driveFile.ts';
import { defaultExports, ExportPolicy } from '../../shared/drive/exports.ts';
import { FileChanged } from '../../shared/drive/fileChanged.ts';
import { filtersOf } from '../../shared/drive/filters.ts';
import { tallies } from '../../shared/drive/runs.ts';
import { NotYet } from '../../shared/once.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { rememberLog, rememberPublish } from '../kit.ts';

/** A Drive, a raw bucket, and `file-sync` between them; what it publishes is delivered by `converge`. */
export async function openStudy(options: Parameters<typeof openDrive>[0] = {}) {
  const storage = await clients.storage();
  // The hold of one test is not that of the next.
  const drive = await openDrive({ shared: undefined, random: () => 0.02, ...options });
  if (!(await storage.bucket('raw').exists())[0]) {
    await storage.createBucket('raw', { versioning: { enabled: true } });
    await storage.createBucket('state');
  }
  const raw = storage.bucket('raw');
  const publish = rememberPublish();
  const log = rememberLog();
  const records = recordsIn(storage, 'state');
  const waits: number[] = [];
  const forTomorrow: FileChanged[] = [];
  const dependencies: FileSyncDependencies = {
    drive,
    raw,
    records,
    publish,
    log,
    studyFolder: config().studyFolder,
    readFolder: (id) => getFile(drive, id),
    policy: {
      exports: ExportPolicy.parse(defaultExports),
      filters: filtersOf({ include: [], exclude: [], excludeTypes: [] }),
    },
    mayRemove: async () => true,
    inTurn: (work) => work(),
    waitForTomorrow: async (change) => void forTomorrow.push(change),
    tallies: tallies(records),
    now: Date.now,
    deadline: Number.POSITIVE_INFINITY,
    sliceSize: 256 * 1024,
    lease: 1000,
    wait: async (ms) => void waits.push(ms),
  };
  const sync = (
    change: string | z.input<typeof FileChanged>,
    removed = false,
    overrides: Partial<FileSyncDependencies> = {},
  ) =>
    fileSync(FileChanged.parse(typeof change === 'string' ? { fileId: change, removed } : change), {
      ...dependencies,
      ...overrides,
    });

  return {
    ...driveOf(drive),
    drive,
    raw,
    log,
    publish,
    dependencies,
    waits,
    forTomorrow,
    sync,
    /** Delivers these changes and what follows from them, again where they ask for it, until nothing is left. */
    async converge(...changes: (string | z.input<typeof FileChanged>)[]): Promise<void> {
      const queue = changes.map((one) =>
        FileChanged.parse(typeof one === 'string' ? { fileId: one, removed: false } : one),
      );
      for (let step = 0; queue.length > 0; step++) {
        if (step > 60) throw new Error(`It goes on for ever: ${JSON.stringify(queue)}`);
        const change = queue.shift() as FileChanged;
        publish.sent.length = 0;
        try {
          await sync(change);
        } catch (error) {
          if (!(error instanceof NotYet)) throw error;
          queue.push(change);
        }
        queue.push(...publish.sent.map(({ data }) => FileChanged.parse(data)));
      }
    },
    objects: (prefix: string) => objectsIn(raw, prefix),
  };
}
export type Study = Awaited<ReturnType<typeof openStudy>>;

/** Name to content of what is live below a prefix; the prefix itself is left out of the names. */
async function objectsIn(bucket: Bucket, prefix: string): Promise<Record<string, string>> {
  const [files] = await bucket.getFiles({ prefix });
  const contents = await Promise.all(files.map(async (file) => String((await file.download())[0])));
  return Object.fromEntries(files.map(({ name }, i) => [name.slice(prefix.length), contents[i] ?? '']));
}

function driveOf(drive: drive_v3.Drive) {
  const { studyFolder } = config();
  const create = async (requestBody: drive_v3.Schema$File, content?: string | Buffer) => {
    // A Google document is made from a text.
    const mimeType = requestBody.mimeType ? 'text/plain' : 'application/octet-stream';
    const { data } = await drive.files.create({
      requestBody: { parents: [studyFolder], ...requestBody },
      ...(content === undefined ? {} : { media: { mimeType, body: Readable.from([content]) } }),
      fields: 'id',
      supportsAllDrives: true,
    });
    return data.id as string;
  };
  return {
    create,
    folder: (name: string, parent = studyFolder) => create({ name, parents: [parent], mimeType: folderType }),
    file: (parent: string, name: string, content: string | Buffer = `content of ${name}`) =>
      create({ name, parents: [parent] }, content),
    async edit(fileId: string, content: string | Buffer) {
      await drive.files.update({ fileId, media: { body: Readable.from([content]) } });
    },
    async change(fileId: string, requestBody: drive_v3.Schema$File) {
      await drive.files.update({ fileId, requestBody });
    },
    async move(fileId: string, to: string) {
      const { data } = await drive.files.get({ fileId, fields: 'parents' });
      await drive.files.update({ fileId, addParents: to, removeParents: data.parents?.join(',') ?? '' });
    },
    async remove(fileId: string) {
      await drive.files.delete({ fileId });
    },
  };
}
