import type { RequestHandler } from 'express';
import { GoogleError } from '../googleError.ts';
import { fieldsOf } from './fields.ts';
import { download } from './files/get.ts';
import { answer, type Drive, itemOf, text } from './request.ts';

type Revision = {
  fileId: string;
  id: string;
  mimeType: string;
  modifiedTime: string;
  size: number;
  md5: string;
};

const fields = fieldsOf(
  'kind id mimeType modifiedTime size md5Checksum keepForever originalFilename lastModifyingUser exportLinks',
);
const unasked = 'kind,id,mimeType,modifiedTime';

const resource = ({ id, mimeType, modifiedTime, size, md5 }: Revision) => ({
  ...{ kind: 'drive#revision', id, mimeType, modifiedTime, size: String(size), md5Checksum: md5 },
  keepForever: false,
});

export const listRevisions =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    const { id } = itemOf(drive, request);
    const rows = drive.tree.all<Revision>('SELECT * FROM drive_revisions WHERE fileId = ? ORDER BY seq', id);
    const body = { kind: 'drive#revisionList', revisions: rows.map(resource) };
    const known = { ...fieldsOf('kind nextPageToken'), revisions: fields };
    answer(request, response, body, `kind,nextPageToken,revisions(${unasked})`, known);
  };

export const getRevision =
  (drive: Drive): RequestHandler =>
  async (request, response) => {
    const row = itemOf(drive, request);
    const id = String(request.params.revisionId);
    const revision = drive.tree.get<Revision>(
      'SELECT * FROM drive_revisions WHERE fileId = ? AND id = ?',
      ...[row.id, id],
    );
    if (!revision) throw new GoogleError(404, 'notFound', `Revision not found: ${id}.`);
    if (text(request, 'alt') !== 'media') {
      return answer(request, response, resource(revision), unasked, fields);
    }
    if (id === row.headRevisionId) return download(drive, request, response);
    // Old bytes can be had only of revisions that somebody marked to be kept.
    const message = 'Only revisions marked as "Keep Forever" can be downloaded.';
    throw new GoogleError(403, 'downloadRestrictedForRevision', message);
  };
