import type { Bucket, File } from '@google-cloud/storage';

export type Page = { files: File[] /** What there is further down, with `delimiter`. */; prefixes: string[] };

/** The live objects below a prefix, page by page; with `startOffset`, those from this name on. */
export async function* pagesOf(
  bucket: Bucket,
  prefix: string,
  { delimiter, startOffset }: { delimiter?: string; startOffset?: string } = {},
): AsyncIterable<Page> {
  let pageToken: string | undefined;
  do {
    const [files, next, response] = await bucket.getFiles({
      prefix,
      autoPaginate: false,
      ...(delimiter ? { delimiter } : {}),
      ...(startOffset ? { startOffset } : {}),
      ...(pageToken ? { pageToken } : {}),
    });
    yield { files, prefixes: (response as { prefixes?: string[] } | undefined)?.prefixes ?? [] };
    pageToken = (next as { pageToken?: string } | null)?.pageToken;
  } while (pageToken);
}
