import pLimit from 'p-limit';
import * as z from 'zod';
import { codeOf } from '../../storage/codeOf.ts';
import { BucketKind, bucketOf, Generation, ObjectName } from '../dataset.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';
import type { Tools } from '../tools.ts';

const Read = z.strictObject({
  action: z.literal('read'),
  bucket: BucketKind,
  objects: z
    .array(z.strictObject({ name: ObjectName, generation: Generation }))
    .min(1)
    .max(1000),
});

const Write = z.strictObject({
  action: z.literal('write'),
  bucket: BucketKind.describe('derived. The raw bucket is the mirror of the study folder, and is refused.'),
  objects: z
    .array(
      z.strictObject({
        name: ObjectName,
        ifGenerationMatch: Generation.describe('The generation that it is to replace; 0 for none.'),
        size: z
          .number()
          .int()
          .nonnegative()
          .max(5 * 2 ** 40)
          .optional(),
        md5: z
          .string()
          .regex(/^[A-Za-z0-9+/]{22}==$/, 'expected an MD5 in base64')
          .optional(),
        contentType: z
          .string()
          .regex(/^[\w.+-]{1,100}\/[\w.+-]{1,100}(;[\x20-\x7e]{1,200})?$/, 'expected a media type')
          .optional(),
      }),
    )
    .min(1)
    .max(1000),
});

const Answer = z.object({
  items: z.array(z.object({ name: z.string(), generation: z.string().optional(), url: z.string() })),
  expires: z.iso.datetime(),
});

/** Milliseconds. Long enough to begin a download of everything that was asked for. */
const readable = 15 * 60_000;
/** https://cloud.google.com/storage/docs/resumable-uploads#introduction */
const writable = 7 * 24 * 3_600_000;
/** At Google, each URL is signed by a request. */
const atATime = 32;
/** What is written there is Gazeline's word. */
const own = ['annotations/', 'jobs/'];

export const signedUrlRoutes: Route[] = [
  route({
    id: 'signUrls',
    method: 'POST',
    path: '/v1/signed-urls',
    role: 'reader',
    roleOf: ({ body: { action } }) => (action === 'read' ? 'reader' : 'runner'),
    summary: 'Addresses that objects are read from or written to, without any other credentials.',
    body: z.discriminatedUnion('action', [Read, Write]),
    answer: Answer,
    isSecret: true,
    handle: ({ body }, tools) => (body.action === 'read' ? toRead(body, tools) : toWrite(body, tools)),
  }),
];

async function toRead({ bucket: kind, objects }: z.infer<typeof Read>, tools: Tools) {
  const bucket = bucketOf(kind, tools);
  const expires = Math.floor((tools.now() + readable) / 1000) * 1000;
  const limit = pLimit(atATime);
  const items = await Promise.all(
    objects.map(({ name, generation }) =>
      limit(async () => {
        const [url] = await bucket.file(name).getSignedUrl({
          version: 'v4',
          action: 'read',
          expires,
          queryParams: { generation },
        });
        return { name, generation, url: withPathOf(url, `${bucket.name}/${name}`) };
      }),
    ),
  );
  return { items, expires: new Date(expires).toISOString() };
}

/**
 * The library signs the path as it is, and then takes each `..` and `.` out of it, like every URL: that would be the
 * address of something else, with a signature that does not match it.
 */
function withPathOf(url: string, path: string): string {
  const { origin, search } = new URL(url);
  return `${origin}/${path.split('/').map(encoded).join('/')}${search}`;
}

const encoded = (part: string) =>
  encodeURIComponent(part).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Sessions of resumable uploads, which hold the precondition, and the MD5 that the server compares. */
async function toWrite({ bucket: kind, objects }: z.infer<typeof Write>, tools: Tools) {
  if (kind === 'raw')
    throw new Refused(
      403,
      'The raw bucket is the mirror of the study folder: what is to be there is put into that folder. Results go to the derived bucket.',
    );
  const taken = objects.find(({ name }) => own.some((folder) => name.startsWith(folder)));
  if (taken)
    throw new Refused(403, `“${taken.name}” is in a folder that only Gazeline writes to: ${own.join(', ')}.`);
  const limit = pLimit(atATime);
  const expires = tools.now() + writable;
  const items = await Promise.all(
    objects.map(({ name, ifGenerationMatch, size, md5, contentType }) =>
      limit(async () => {
        const [url] = await tools.derived
          .file(name)
          .createResumableUpload({
            preconditionOpts: { ifGenerationMatch },
            metadata: {
              ...(contentType ? { contentType } : {}),
              ...(md5 ? { md5Hash: md5 } : {}),
              ...(size === undefined ? {} : { contentLength: size }),
            },
          })
          .catch((error: unknown) => {
            if (codeOf(error) !== 412) throw error;
            throw new Refused(412, `“${name}” is not at generation ${ifGenerationMatch} any more.`);
          });
        return { name, url };
      }),
    ),
  );
  return { items, expires: new Date(expires).toISOString() };
}
