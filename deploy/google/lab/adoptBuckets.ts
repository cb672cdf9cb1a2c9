import type { Complete } from './answers.ts';
import { gcloud } from './gcloud.ts';
import { Failed } from './program.ts';
import { terraform } from './terraform.ts';

/**
 * Buckets that were left when a lab was taken down belong to the next one in the same project: they would be in its way,
 * and their data is wanted.
 */
export async function adoptBuckets({ project, buckets = {} }: Complete): Promise<void> {
  const known = await made();
  for (const kind of ['raw', 'derived', 'state']) {
    const address = `google_storage_bucket.${kind}`;
    const name = buckets[kind] ?? `${project}-gazeline-${kind}`;
    if (known.includes(address) || !(await isOurs(name, project))) continue;
    await terraform(['import', '-input=false', '-no-color', address, name]);
  }
}

/** What Terraform knows of. Of a lab that is not there yet it has no memory at all. */
async function made(): Promise<string[]> {
  try {
    return (await terraform(['state', 'list'])).split('\n');
  } catch (error) {
    if (error instanceof Failed && /No state file was found/.test(error.output)) return [];
    throw error;
  }
}

async function isOurs(name: string, project: string): Promise<boolean> {
  try {
    await gcloud(
      'storage',
      'buckets',
      'describe',
      `gs://${name}`,
      `--project=${project}`,
      '--format=value(name)',
    );
    return true;
  } catch (error) {
    if (error instanceof Failed) return false;
    throw error;
  }
}
