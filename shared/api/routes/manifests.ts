import * as z from 'zod';
import { BucketKind, bucketOf, DatasetObject, Prefix } from '../dataset.ts';
import { Manifest, ManifestId, makeManifest, objectsOf, readManifest } from '../manifest.ts';
import { badPageToken, Paging, pageOf, readToken, writeToken } from '../paging.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';
import type { Tools } from '../tools.ts';

const parameters = z.strictObject({ id: ManifestId });

export const manifestRoutes: Route[] = [
  route({
    id: 'createManifest',
    method: 'POST',
    path: '/v1/datasets/{bucket}/manifests',
    role: 'reader',
    summary:
      'Keeps which objects and generations are below a prefix now, so that work can be repeated on them.',
    parameters: z.strictObject({ bucket: BucketKind }),
    body: z.strictObject({ prefix: Prefix }),
    answer: Manifest,
    status: 201,
    handle: ({ path, body: { prefix }, key }, tools) =>
      makeManifest(
        { id: key.replaceAll('-', '').slice(0, 24), kind: path.bucket, prefix },
        { ...tools, bucket: bucketOf(path.bucket, tools) },
      ),
  }),

  route({
    id: 'getManifest',
    method: 'GET',
    path: '/v1/manifests/{id}',
    role: 'reader',
    summary: 'A manifest, without its objects.',
    parameters,
    answer: Manifest,
    handle: async ({ path }, tools) => (await need(path.id, tools)).manifest,
  }),

  route({
    id: 'listManifestObjects',
    method: 'GET',
    path: '/v1/manifests/{id}/objects',
    role: 'reader',
    summary: 'The objects of a manifest, in the order of names.',
    parameters,
    query: z.strictObject(Paging),
    answer: pageOf(DatasetObject),
    async handle({ path, query: { pageSize, pageToken } }, tools) {
      const { manifest, parts } = await need(path.id, tools);
      const from = pageToken === undefined ? 0 : Number(readToken(pageToken));
      if (!Number.isInteger(from) || from < 0) throw badPageToken();
      const items = await objectsOf(tools.records, parts, from, pageSize);
      const end = from + items.length;
      return { items, ...(end < manifest.count ? { nextPageToken: writeToken(String(end)) } : {}) };
    },
  }),
];

async function need(id: string, { records }: Tools) {
  const found = await readManifest(records, id);
  if (!found) throw new Refused(404, `There is no manifest ${id}.`);
  return found;
}
