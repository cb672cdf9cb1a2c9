import { randomInt } from 'node:crypto';
import type { RequestHandler } from 'express';
import * as z from 'zod';
import { GoogleError } from '../googleError.ts';
import { fieldsOf } from './fields.ts';
import { people } from './people.ts';
import { answer, type Drive, invalid, itemOf, notFound } from './request.ts';
import type { FileRow } from './table.ts';

const fields = fieldsOf(
  'kind id type role emailAddress displayName domain allowFileDiscovery deleted pendingOwner permissionDetails',
);
const unasked = 'kind,id,type,role';

const PermissionBody = z.object({
  type: z.enum(['user', 'group', 'domain', 'anyone']),
  role: z.enum(['owner', 'organizer', 'fileOrganizer', 'writer', 'commenter', 'reader']),
  emailAddress: z.string().optional(),
  domain: z.string().optional(),
});

export const listPermissions =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    const permissions = permissionsOf(drive, itemOf(drive, request));
    const body = { kind: 'drive#permissionList', permissions };
    answer(request, response, body, `kind,permissions(${unasked})`, {
      ...fieldsOf('kind nextPageToken'),
      permissions: fields,
    });
  };

/**
 * There is no other user here who could give the service account access again; so it may do so itself, even to what
 * it cannot see.
 */
export const createPermission =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    const { tree, context } = drive;
    const row = tree.find(String(request.params.fileId));
    if (!row) throw notFound(String(request.params.fileId));
    const parsed = PermissionBody.safeParse(request.body ?? {});
    if (!parsed.success) throw invalid('permission', z.prettifyError(parsed.error));
    const { me } = people(context);
    const isMe = parsed.data.emailAddress === me.emailAddress;
    const id = isMe ? me.permissionId : String(randomInt(10 ** 14)).padStart(20, '1');
    const permission = { kind: 'drive#permission', id, ...parsed.data };
    tree.transaction(() => {
      const values = [row.id, id, JSON.stringify(permission)];
      tree.run(
        'INSERT OR REPLACE INTO drive_permissions (fileId, id, permission) VALUES (?, ?, ?)',
        ...values,
      );
      tree.change(row.id, isMe ? { lost: 0 } : {});
    });
    answer(request, response, permission, unasked, fields);
  };

/** Without the service account's own permission the file is out of reach: 404, and `removed` in the feed. */
export const deletePermission =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    const { tree, context } = drive;
    const row = itemOf(drive, request);
    const id = String(request.params.permissionId);
    const isMe = id === people(context).me.permissionId;
    tree.transaction(() => {
      const { changes } = tree.run('DELETE FROM drive_permissions WHERE fileId = ? AND id = ?', row.id, id);
      if (!isMe && !changes) throw new GoogleError(404, 'notFound', `Permission not found: ${id}.`);
      tree.change(row.id, isMe ? { lost: 1 } : {});
    });
    response.status(204).end();
  };

function permissionsOf(drive: Drive, row: FileRow): object[] {
  const { tree, context } = drive;
  const { owner, me } = people(context);
  const given = tree.all<{ permission: string }>(
    'SELECT permission FROM drive_permissions WHERE fileId = ? AND id != ? ORDER BY rowid',
    row.id,
    me.permissionId,
  );
  const user = ({ permissionId: id, emailAddress, displayName }: typeof owner, role: string) => ({
    ...{ kind: 'drive#permission', id, type: 'user', role, emailAddress, displayName },
  });
  const isShared = row.drive !== tree.study;
  return [
    user(owner, isShared ? 'organizer' : 'owner'),
    user(me, roleOf(drive, row)),
    ...given.map(({ permission }) => JSON.parse(permission) as object),
  ];
}

const mayEdit: z.infer<typeof PermissionBody>['role'][] = ['owner', 'organizer', 'fileOrganizer', 'writer'];

/** What the service account is of an item: by the nearest permission that it was given, going up; else a writer. */
function roleOf({ tree, context }: Drive, row: FileRow): z.infer<typeof PermissionBody>['role'] {
  const given = tree.all<{ fileId: string; permission: string }>(
    'SELECT fileId, permission FROM drive_permissions WHERE id = ?',
    people(context).me.permissionId,
  );
  // Looked at for every item of a list, and nearly always there is none.
  if (given.length === 0) return 'writer';
  const roles = new Map(given.map(({ fileId, permission }) => [fileId, JSON.parse(permission).role]));
  for (let one: FileRow | undefined = row; one; one = tree.find(one.parent ?? '')) {
    const role = roles.get(one.id);
    if (role) return role;
  }
  return 'writer';
}

export const canEdit = (drive: Drive, row: FileRow) => mayEdit.includes(roleOf(drive, row));

/** @throws 403 `insufficientFilePermissions` */
export function requireEdit(drive: Drive, row: FileRow): void {
  if (canEdit(drive, row)) return;
  const message = 'The user does not have sufficient permissions for this file.';
  throw new GoogleError(403, 'insufficientFilePermissions', message);
}
