import type { Bucket, File } from '@google-cloud/storage';

export type Page = { files: File[] /** What there is further down, with `delimiter`. */; prefixes: string[] };

/** The live objects below a prefix, page by page. */
export async function* pagesOf(
  bucket: Bucket,
  prefix: string,
  { delimiter }: { delimiter?: string } = {},
): AsyncIterable<Page> {
  let pageToken: string | undefined;
  do {
    const [files, next, response] = await bucket.getFiles({
      prefix,
      autoPaginate: false,
      ...(delimiter ? { delimiter } : {}),
      ...(pageToken ? { pageToken } : {}),
    });
    yield { files, prefixes: (response as { prefixes?: string[] } | undefined)?.prefixes ?? [] };
    pageToken = (next as { pageToken?: string } | null)?.pageToken;
  } while (pageToken);
}
