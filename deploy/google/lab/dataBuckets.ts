import type { Complete } from './answers.ts';
import { gcloud } from './gcloud.ts';
import { Failed } from './program.ts';

/** A bucket that holds data: what it is called, and as what Terraform knows it. */
export type DataBucket = { name: string; address: string };

/** Those of a lab, whether or not it is there (any more): Terraform's own outputs are gone with the lab. */
export const dataBucketsOf = ({ project, buckets = {} }: Complete): DataBucket[] =>
  ['raw', 'derived', 'state'].map((kind) => ({
    name: buckets[kind] ?? `${project}-gazeline-${kind}`,
    address: `google_storage_bucket.${kind}`,
  }));

/** Whether there is a bucket of that name that we may look at. */
export async function isBucketThere(name: string, project: string): Promise<boolean> {
  try {
    await gcloud(
      ...['storage', 'buckets', 'describe', `gs://${name}`],
      ...[`--project=${project}`, '--format=value(name)'],
    );
    return true;
  } catch (error) {
    if (error instanceof Failed) return false;
    throw error;
  }
}
