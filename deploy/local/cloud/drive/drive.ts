import express, { type RequestHandler, Router } from 'express';
import type { Context, Service } from '../service.ts';
import { getAbout } from './about.ts';
import { getStartPageToken, listChanges } from './changes.ts';
import { stopChannel, watchChanges } from './channels.ts';
import { createDriveHandler, getDrive, listDrives } from './drives.ts';
import { copyFile } from './files/copy.ts';
import { createFile, generateIds } from './files/create.ts';
import { deleteFile, emptyTrash } from './files/delete.ts';
import { exportFile, exportLink } from './files/export.ts';
import { getFile } from './files/get.ts';
import { listFiles } from './files/list.ts';
import { updateFile } from './files/update.ts';
import { createPermission, deletePermission, listPermissions } from './permissions.ts';
import { createPusher } from './push.ts';
import { createQuota } from './quota.ts';
import { recover } from './recover.ts';
import { type Drive, operation, text } from './request.ts';
import { getRevision, listRevisions } from './revisions.ts';
import { createScanner } from './scan.ts';
import { changeSettings } from './settings.ts';
import { createTree } from './tree.ts';
import { beginUpload, cancelUpload, continueUpload } from './uploads/resumable.ts';

export type DriveService = Service & {
  /** The id of the folder that is `drive/` on disk. */
  studyFolder: string;
  /** Looks at the whole folder, and resolves when all that is there is in the feed. */
  scan(): Promise<void>;
};

/**
 * Google Drive over the folder `drive/`, and over `shared-drives/`, where each folder is a shared drive.
 * `POST /_local/drive/scan` answers when everything that lies there is in the feed, and `POST /_local/drive/settings`
 * chooses between answers that Google's documentation leaves open.
 */
export function createDrive(context: Context): DriveService {
  let last: Promise<unknown> = Promise.resolve();
  const exclusive: Drive['exclusive'] = (work) => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
  const pusher = createPusher(() => tree, context);
  const tree = createTree(context.store, pusher.wake);
  recover(tree);
  const scanner = createScanner(tree, exclusive);
  const drive: Drive = { context, tree, scanner, pusher, exclusive, refusedTokens: { upTo: 0, status: 400 } };
  const quota = createQuota(context.faults);
  pusher.wake();

  const router = Router();
  const on = (
    method: 'get' | 'post' | 'patch' | 'put' | 'delete',
    path: string,
    op: string,
    handler: RequestHandler,
  ) => router[method](path, operation(op, quota), handler);

  router.use(async (_request, _response, next) => {
    // What was changed while nothing ran is known before the first answer.
    await scanner.ready;
    next();
  });
  router.use('/drive/v3', express.json({ limit: '1mb', type: () => true }));
  on('post', '/_local/drive/scan', 'scan', async (_request, response) => {
    await scanner.scan();
    response.json({});
  });
  router.post('/_local/drive/settings', express.json(), changeSettings(tree));
  on('get', '/feeds/download/documents/export/Export', 'exportLink', exportLink(drive));

  on('get', '/drive/v3/about', 'about.get', getAbout(drive));
  on('get', '/drive/v3/changes/startPageToken', 'changes.getStartPageToken', getStartPageToken(drive));
  on('get', '/drive/v3/changes', 'changes.list', listChanges(drive));
  on('post', '/drive/v3/changes/watch', 'changes.watch', watchChanges(drive));
  on('post', '/drive/v3/channels/stop', 'channels.stop', stopChannel(drive));
  on('get', '/drive/v3/drives', 'drives.list', listDrives(drive));
  on('post', '/drive/v3/drives', 'drives.create', createDriveHandler(drive));
  on('get', '/drive/v3/drives/:driveId', 'drives.get', getDrive(drive));

  const files = '/drive/v3/files';
  on('get', files, 'files.list', listFiles(drive));
  on('post', files, 'files.create', createFile(drive));
  on('get', `${files}/generateIds`, 'files.generateIds', generateIds());
  on('delete', `${files}/trash`, 'files.emptyTrash', emptyTrash(drive));
  on('get', `${files}/:fileId`, 'files.get', getFile(drive));
  on('patch', `${files}/:fileId`, 'files.update', updateFile(drive));
  on('delete', `${files}/:fileId`, 'files.delete', deleteFile(drive));
  on('post', `${files}/:fileId/copy`, 'files.copy', copyFile(drive));
  on('get', `${files}/:fileId/export`, 'files.export', exportFile(drive));
  on('get', `${files}/:fileId/permissions`, 'permissions.list', listPermissions(drive));
  on('post', `${files}/:fileId/permissions`, 'permissions.create', createPermission(drive));
  on('delete', `${files}/:fileId/permissions/:permissionId`, 'permissions.delete', deletePermission(drive));
  on('get', `${files}/:fileId/revisions`, 'revisions.list', listRevisions(drive));
  on('get', `${files}/:fileId/revisions/:revisionId`, 'revisions.get', getRevision(drive));

  const ifResumable =
    (resumable: RequestHandler, otherwise: RequestHandler): RequestHandler =>
    (request, ...rest) =>
      (text(request, 'uploadType') === 'resumable' ? resumable : otherwise)(request, ...rest);
  const uploads = `/upload${files}`;
  on('post', uploads, 'files.create', ifResumable(beginUpload(drive), createFile(drive)));
  on('patch', `${uploads}/:fileId`, 'files.update', ifResumable(beginUpload(drive), updateFile(drive)));
  const chunk = continueUpload(drive);
  on('put', uploads, 'files.upload', chunk);
  on('put', `${uploads}/:fileId`, 'files.upload', chunk);
  on('delete', uploads, 'files.cancelUpload', cancelUpload(drive));
  on('delete', `${uploads}/:fileId`, 'files.cancelUpload', cancelUpload(drive));

  return {
    name: 'drive',
    owns: /^\/(upload\/)?drive\/v3\/|^\/_local\/drive\/|^\/feeds\/download\//,
    router,
    studyFolder: tree.study,
    scan: scanner.scan,
    pending: () => scanner.pending() + pusher.pending(),
    async close() {
      await scanner.close();
      await pusher.close();
      await last;
    },
  };
}
