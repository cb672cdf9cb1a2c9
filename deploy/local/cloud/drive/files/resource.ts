import { extname } from 'node:path';
import { fieldsOf } from '../fields.ts';
import { folderType, isNative, shortcutType } from '../names.ts';
import { people } from '../people.ts';
import { canEdit } from '../permissions.ts';
import type { Drive } from '../request.ts';
import type { FileRow, Meta } from '../table.ts';
import { exportFormats } from './exportFormats.ts';

const names =
  'appProperties capabilities clientEncryptionDetails contentHints contentRestrictions copyRequiresWriterPermission createdTime description downloadRestrictions driveId explicitlyTrashed exportLinks fileExtension folderColorRgb fullFileExtension hasAugmentedPermissions hasThumbnail headRevisionId iconLink id imageMediaMetadata inheritedPermissionsDisabled isAppAuthorized kind labelInfo lastModifyingUser linkShareMetadata md5Checksum mimeType modifiedByMe modifiedByMeTime modifiedTime name originalFilename ownedByMe owners parents permissionIds permissions properties quotaBytesUsed resourceKey sha1Checksum sha256Checksum shared sharedWithMeTime sharingUser shortcutDetails size spaces starred teamDriveId thumbnailLink thumbnailVersion trashed trashedTime trashingUser version videoMediaMetadata viewedByMe viewedByMeTime viewersCanCopyContent webContentLink webViewLink writersCanShare';

/** Every field that a mask may name. https://developers.google.com/workspace/drive/api/reference/rest/v3/files */
export const fileFields = fieldsOf(names);

/** What Drive gives of a file unless more is asked for. */
export const unaskedOfFile = 'kind,id,name,mimeType';

export const metaOf = (row: FileRow) => JSON.parse(row.meta) as Meta;

/** Its name as it was given, though the column holds it with U+FFFD where UTF-8 has no character. */
export function nameOf(row: FileRow): string {
  const { name } = metaOf(row);
  return name?.toWellFormed() === row.name ? name : row.name;
}

export const canDownload = (row: FileRow) => !metaOf(row).copyRequiresWriterPermission;

/** The resource `drive#file`, with all fields that this Drive has of it. */
export function fileResource(drive: Drive, row: FileRow): object {
  const { context, tree } = drive;
  const { id, mimeType } = row;
  const name = nameOf(row);
  const { owner } = people(context);
  const { name: _, ...meta } = metaOf(row);
  const isFolder = mimeType === folderType;
  const isBlob = !isFolder && mimeType !== shortcutType && !isNative(mimeType);
  const isShared = row.drive !== tree.study;
  const isEditable = canEdit(drive, row);
  const edit = isEditable && row.parent !== null;
  return {
    kind: 'drive#file',
    id,
    name,
    mimeType,
    // The study folder was shared by its owner, above whose folders nothing is visible.
    ...(row.parent === null ? {} : { parents: [row.parent] }),
    spaces: ['drive'],
    version: String(row.version),
    createdTime: row.createdTime,
    modifiedTime: row.modifiedTime,
    starred: Boolean(row.starred),
    trashed: Boolean(row.trashed),
    explicitlyTrashed: Boolean(row.explicitlyTrashed),
    ...(row.trashedTime && isShared ? { trashedTime: row.trashedTime } : {}),
    ...(row.id === tree.study ? { sharedWithMeTime: row.createdTime, sharingUser: owner } : {}),
    ...(isShared ? { driveId: row.drive, teamDriveId: row.drive } : { owners: [owner] }),
    ownedByMe: false,
    shared: true,
    viewedByMe: false,
    modifiedByMe: false,
    hasThumbnail: false,
    thumbnailVersion: '0',
    isAppAuthorized: true,
    lastModifyingUser: owner,
    copyRequiresWriterPermission: false,
    writersCanShare: true,
    ...meta,
    viewersCanCopyContent: !meta.copyRequiresWriterPermission,
    webViewLink: `https://drive.google.com/${isFolder ? `drive/folders/${id}` : `file/d/${id}/view`}`,
    capabilities: {
      canAddChildren: isFolder && isEditable,
      canCopy: !isFolder,
      canDelete: edit,
      canDownload: canDownload(row),
      canEdit: isEditable,
      canListChildren: isFolder,
      canRename: edit,
      canTrash: edit,
      canUntrash: edit,
      canShare: true,
    },
    quotaBytesUsed: String(isBlob ? row.size : 0),
    ...(isFolder || row.size === null ? {} : { size: String(row.size) }),
    ...(isBlob ? blobFields(row, meta) : {}),
    ...(mimeType in exportFormats ? { exportLinks: exportLinks(context.origin(), row) } : {}),
    ...(row.targetId === null
      ? {}
      : { shortcutDetails: { targetId: row.targetId, targetMimeType: row.targetMimeType } }),
  };
}

const blobFields = ({ id, name, md5, sha1, sha256, headRevisionId }: FileRow, meta: Meta) => ({
  originalFilename: meta.originalFilename ?? name,
  fileExtension: extname(name).slice(1),
  fullFileExtension: name.split('.').slice(1).join('.'),
  md5Checksum: md5,
  sha1Checksum: sha1,
  sha256Checksum: sha256,
  headRevisionId,
  webContentLink: `https://drive.google.com/uc?id=${id}&export=download`,
});

/** Unlike `files.export` they have no limit of size. */
const exportLinks = (origin: string, { id, mimeType }: FileRow) =>
  Object.fromEntries(
    Object.entries(exportFormats[mimeType] ?? {}).map(([type, { extension }]) => [
      type,
      `${origin}/feeds/download/documents/export/Export?id=${id}&exportFormat=${extension}`,
    ]),
  );
