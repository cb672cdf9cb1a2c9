import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { beforeAll, beforeEach } from '@jest/globals';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { type ExportDependencies, exportToDrive } from '../../functions/export.ts';
import { clients, openDrive } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { folderType } from '../../shared/drive/driveFile.ts';
import { type ExportRun, type Outcome, readExportRun, readPage } from '../../shared/export/exportRun.ts';
import { fileIds } from '../../shared/export/fileIds.ts';
import { folders } from '../../shared/export/folders.ts';
import { outcomes } from '../../shared/export/noteOutcome.ts';
import { ExportRequest, ExportRequested, requestExport } from '../../shared/export/requestExport.ts';
import { targets } from '../../shared/export/target.ts';
import { NotYet } from '../../shared/once.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { forgetRequests, rememberLog, rememberPublish, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';

/** What is otherwise than in an instance. */
export type Change = Partial<ExportDependencies> & { studyFolder?: string };

/** An item of a folder: what is in it, or what it holds. */
export type Tree = { [name: string]: string | Tree };

/** `export` over a local cloud with a shared drive, and with what one instance of it shares. */
export async function openExport(options: Parameters<typeof openDrive>[0] = {}) {
  const storage = await clients.storage();
  const drive = await openDrive({ shared: undefined, random: () => 0.02, ...options });
  for (const name of ['derived', 'state'])
    if (!(await storage.bucket(name).exists())[0]) await storage.createBucket(name);
  const derived = storage.bucket('derived');
  const records = recordsIn(storage, 'state');
  const publish = rememberPublish();
  const log = rememberLog();
  const tomorrow: ExportRequested[] = [];
  const instance = (change: Change = {}): ExportDependencies & { studyFolder: string } => {
    const common = {
      ...{ drive, records, derived, publish, log, studyFolder: config().studyFolder, lease: 1000 },
      now: Date.now,
      wait: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms / 10)),
      ...change,
    };
    const nextId = fileIds(common.drive);
    return {
      ...{ nextId, pageSize: 3, sliceSize: 256 * 1024, deadline: Number.POSITIVE_INFINITY },
      targets: targets(common, common.now),
      folders: folders({ ...common, nextId }),
      note: outcomes(common.records, common.now),
      inTurn: (work) => work(),
      waitForTomorrow: async (request) => void tomorrow.push(request),
      ...common,
      ...change,
    };
  };
  const create = async (requestBody: drive_v3.Schema$File, content?: string | Buffer): Promise<string> => {
    const { data } = await drive.files.create({
      requestBody,
      ...(content === undefined ? {} : { media: { body: Readable.from([content]) } }),
      fields: 'id',
      supportsAllDrives: true,
    });
    return data.id as string;
  };
  const children = async (parent: string) => {
    const { data } = await drive.files.list({
      ...{ q: `'${parent}' in parents and trashed = false`, pageSize: 1000, orderBy: 'createdTime' },
      ...{ supportsAllDrives: true, includeItemsFromAllDrives: true, fields: 'files(*)' },
    });
    return data.files ?? [];
  };
  const opened = {
    ...{ drive, derived, records, publish, log, tomorrow, instance, create, children },
    folder: (name: string, parent: string) => create({ name, parents: [parent], mimeType: folderType }),
    file: (parent: string, name: string, content: string | Buffer) =>
      create({ name, parents: [parent] }, content),
    edit: (fileId: string, content: string | Buffer) =>
      drive.files.update({ fileId, media: { body: Readable.from([content]) }, supportsAllDrives: true }),
    change: (fileId: string, requestBody: drive_v3.Schema$File) =>
      drive.files.update({ fileId, requestBody, supportsAllDrives: true }),
    async share(fileId: string, role: string) {
      const { data } = await drive.about.get({ fields: 'user' });
      const emailAddress = data.user?.emailAddress ?? '';
      await drive.permissions.create({
        ...{ fileId, supportsAllDrives: true },
        requestBody: { type: 'user', role, emailAddress },
      });
    },
    async put(name: string, content: string | Buffer, more: object = {}) {
      const file = derived.file(name);
      const [there] = await file.exists();
      const generation = there ? String((await file.getMetadata())[0].generation) : '0';
      await file.save(content, {
        ...{ resumable: false, preconditionOpts: { ifGenerationMatch: generation } },
        ...more,
      });
    },
    /** All of a folder; a name that is there twice gets `#2`. */
    async tree(parent: string): Promise<Tree> {
      const tree: Tree = {};
      for (const { id, name, mimeType } of await children(parent)) {
        let key = String(name);
        for (let number = 2; key in tree; number++) key = `${name}#${number}`;
        if (mimeType === folderType) tree[key] = await opened.tree(String(id));
        else {
          const media = { fileId: String(id), alt: 'media', supportsAllDrives: true } as const;
          const { data } = await drive.files.get(media, { responseType: 'arraybuffer' });
          tree[key] = Buffer.from(data as object as ArrayBuffer).toString('latin1');
        }
      }
      return tree;
    },
    async request(prefix: string, folder: string): Promise<ExportRequested> {
      const request = ExportRequest.parse({ prefix, folder });
      const { id } = await requestExport(
        request,
        { by: 'zoë', key: randomUUID() },
        { records, publish: async () => {} },
        new Date(),
      );
      return { export: id };
    },
    /** Delivers these messages and what follows from them, again where that is asked for, until nothing is left. */
    async deliver(messages: ExportRequested[], change: Change = {}): Promise<void> {
      const queue = [...messages];
      for (let step = 0; queue.length > 0; step++) {
        if (step > 300) throw new Error(`It goes on for ever: ${JSON.stringify(queue)}`);
        const message = queue.shift() as ExportRequested;
        publish.sent.length = 0;
        try {
          await exportToDrive(message, instance(change));
        } catch (error) {
          if (!(error instanceof NotYet)) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
          queue.push(message);
        }
        queue.push(...publish.sent.map(({ data }) => ExportRequested.parse(data)));
      }
    },
    /** A whole export. */
    async export(prefix: string, folder: string, change: Change = {}) {
      const request = await opened.request(prefix, folder);
      await opened.deliver([request], change);
      return opened.report(request.export);
    },
    async report(id: string): Promise<ExportRun & { outcomes: Record<string, Outcome> }> {
      const run = (await readExportRun(records, id)) as ExportRun;
      let all: Record<string, Outcome> = {};
      for (let page = 0; page < run.pages; page++)
        all = { ...all, ...(await readPage(records, id, page))?.outcomes };
      return { ...run, outcomes: all };
    },
  };
  return opened;
}
export type Exporting = Awaited<ReturnType<typeof openExport>>;

/** With a prefix and a folder of its own for every test. */
export function useExport() {
  const cloud = useLocalCloud();
  const used = {
    cloud,
    to: undefined as never as Exporting,
    sharedDrive: '',
    /** The id of the test's folder. */
    here: '',
    /** What the names of its objects begin with. */
    prefix: '',
    put: (name: string, content: string | Buffer, more?: object) =>
      used.to.put(used.prefix + name, content, more),
    export: (change?: Change) => used.to.export(used.prefix, used.here, change),
    tree: () => used.to.tree(used.here),
    settings: async (settings: object) => {
      await fetch(`${cloud.origin}/_local/drive/settings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(settings),
      });
    },
  };
  let last = 0;
  beforeAll(async () => {
    used.to = await openExport();
    const { data } = await used.to.drive.drives.create({ requestId: 'one', requestBody: { name: 'Lab' } });
    used.sharedDrive = String(data.id);
  });
  beforeEach(async () => {
    await setFaults(cloud);
    await used.settings({});
    used.here = await used.to.folder(`test ${last}`, used.sharedDrive);
    used.prefix = `test ${last++}/`;
    used.to.log.entries.length = 0;
    used.to.tomorrow.length = 0;
    await forgetRequests(cloud);
  });
  return used;
}
