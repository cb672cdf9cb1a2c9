import type { FileMetadata } from '@google-cloud/storage';
import * as z from 'zod';
import { codeOf } from '../../storage/codeOf.ts';
import { BucketKind, bucketOf, DatasetObject, datasetObject, objectFields, Prefix } from '../dataset.ts';
import { badPageToken, Paging, pageOf } from '../paging.ts';
import { type Route, route } from '../route.ts';

export const datasetRoutes: Route[] = [
  route({
    id: 'listObjects',
    method: 'GET',
    path: '/v1/datasets/{bucket}/objects',
    role: 'reader',
    summary: 'What is in a bucket, in the order of names.',
    parameters: z.strictObject({ bucket: BucketKind }),
    query: z.strictObject({
      prefix: Prefix.default(''),
      delimiter: z.string().min(1).max(1024).optional().describe('/ for one folder without those below.'),
      ...Paging,
    }),
    answer: pageOf(DatasetObject).extend({
      prefixes: z.array(z.string()).describe('With a delimiter: the folders.'),
    }),
    async handle({ path, query: { prefix, delimiter, pageSize, pageToken } }, tools) {
      const [, next, response] = await bucketOf(path.bucket, tools)
        .getFiles({
          prefix,
          maxResults: pageSize,
          autoPaginate: false,
          fields: objectFields,
          ...(delimiter ? { delimiter } : {}),
          ...(pageToken ? { pageToken } : {}),
        })
        .catch((error: unknown) => {
          throw pageToken && codeOf(error) === 400 ? badPageToken() : error;
        });
      const { pageToken: nextPageToken } = (next ?? {}) as { pageToken?: string };
      const { items = [], prefixes = [] } = response as { items?: FileMetadata[]; prefixes?: string[] };
      return {
        items: items.map(datasetObject),
        prefixes,
        ...(nextPageToken ? { nextPageToken } : {}),
      };
    },
  }),
];
