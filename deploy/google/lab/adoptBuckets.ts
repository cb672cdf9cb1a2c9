import type { Complete } from './answers.ts';
import { dataBucketsOf, isBucketThere } from './dataBuckets.ts';
import { known, terraform } from './terraform.ts';

/**
 * Buckets that were left when a lab was taken down belong to the next one in the same project: they would be in its way,
 * and their data is wanted.
 */
export async function adoptBuckets(answers: Complete): Promise<void> {
  const all = await known();
  for (const { name, address } of dataBucketsOf(answers)) {
    if (all.includes(address) || !(await isBucketThere(name, answers.project))) continue;
    await terraform(['import', '-input=false', '-no-color', address, name]);
  }
}
