import { answersFile, type Complete } from './answers.ts';
import { gcloud } from './gcloud.ts';
import { Failed } from './program.ts';
import { stateBucketOf } from './terraform.ts';

/** Without these Terraform cannot even ask what there is. */
const first = ['cloudbilling', 'cloudresourcemanager', 'iam', 'serviceusage', 'storage'];

/** Where Terraform remembers what it has made, with its earlier versions. Made once. */
export async function makeStateBucket({ project, region }: Complete): Promise<void> {
  await gcloud(
    'services',
    'enable',
    ...first.map((name) => `${name}.googleapis.com`),
    `--project=${project}`,
  );
  const bucket = `gs://${stateBucketOf(project)}`;
  try {
    await gcloud('storage', 'buckets', 'describe', bucket, `--project=${project}`, '--format=value(name)');
  } catch (error) {
    if (!(error instanceof Failed) || !/not found|404/i.test(error.output)) throw error;
    await gcloud(
      ...['storage', 'buckets', 'create', bucket, `--project=${project}`, `--location=${region}`],
      ...['--uniform-bucket-level-access', '--public-access-prevention'],
    );
  }
  // Whether or not we were interrupted after it was made.
  await gcloud('storage', 'buckets', 'update', bucket, '--versioning');
}

/** A copy of the answers, for builds of Cloud Build and for whoever looks after the lab from another computer. */
export async function keepAnswers({ project }: Complete): Promise<void> {
  await gcloud('storage', 'cp', answersFile, `gs://${stateBucketOf(project)}/lab.auto.tfvars.json`);
}

/** @returns whether there were any */
export async function fetchAnswers(project: string): Promise<boolean> {
  try {
    await gcloud('storage', 'cp', `gs://${stateBucketOf(project)}/lab.auto.tfvars.json`, answersFile);
    return true;
  } catch (error) {
    if (error instanceof Failed) return false;
    throw error;
  }
}
