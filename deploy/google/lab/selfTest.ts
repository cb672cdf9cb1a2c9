import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '@clack/prompts';
import type { Complete } from './answers.ts';
import { gcloud, gcloudJson } from './gcloud.ts';
import { Failed } from './program.ts';
import type { Outputs } from './terraform.ts';
import { writeTestFile } from './writeTestFile.ts';

const seconds = (name: string, usual: number) => Number(process.env[name] ?? usual) * 1000;
/** How often is looked, and for how long a file may take: polls are every five minutes. */
const every = () => seconds('GAZELINE_LOOK_SECONDS', 5);
const patience = () => seconds('GAZELINE_PATIENCE_SECONDS', 900);

/**
 * Follows a file from the study folder to its annotation: one that is written there in the lab's own name, or, where that is
 * not possible, one that a person drops.
 * @returns whether it has arrived
 */
export async function selfTest(answers: Complete, { buckets, share_with }: Outputs): Promise<boolean> {
  if (!buckets) throw new Error('Terraform does not say which buckets it has made');
  const before = new Set(await objectsIn(buckets.raw));
  const file = await writeAsLab(answers, share_with ?? '');
  log.step(
    file
      ? `${file} lies in the study folder. Waiting for it to arrive …`
      : 'Now drop a picture or a text into the study folder, please (Ctrl-C if you would rather not). Waiting …',
  );
  // The clocks would do so as well, within five minutes.
  await tick(answers.project);
  const end = Date.now() + patience();
  let arrived: string | undefined;
  while (Date.now() < end) {
    if (!arrived) {
      arrived = (await objectsIn(buckets.raw)).find((name) => !before.has(name));
      if (arrived) log.step(`${arrived} is in the raw bucket. Waiting for its annotation …`);
    }
    if (arrived) {
      if (!/\.(png|jpe?g|gif|webp|bmp|tiff?|txt|md|html?)$/i.test(arrived)) {
        log.success(`${arrived} has arrived. It is neither a picture nor a text, so it is not annotated.`);
        return true;
      }
      if (await exists(`gs://${buckets.derived}/annotations/${arrived}.json`)) {
        log.success(
          `${arrived} has arrived and is annotated: gs://${buckets.derived}/annotations/${arrived}.json`,
        );
        return true;
      }
    }
    await sleep(every());
  }
  log.error(arrived ? `${arrived} has arrived, but there is no annotation yet.` : 'No file has arrived.');
  return false;
}

/** Everything at once that `drive-tick` does by itself every five minutes: it polls, and opens the channel that Drive pushes on. */
export const tick = (project: string) =>
  gcloud('pubsub', 'topics', 'publish', 'drive-tick', '--message={}', `--project=${project}`);

const channelRecord = (buckets: { state: string }) => `gs://${buckets.state}/drive/channels.json`;

/** @returns whether there is one within two minutes */
export async function openChannel({ project }: Complete, { buckets }: Outputs): Promise<boolean> {
  if (!buckets) return false;
  await tick(project);
  const end = Date.now() + Math.min(patience(), 120_000);
  while (Date.now() < end) {
    if (await exists(channelRecord(buckets))) return true;
    await sleep(every());
  }
  return false;
}

/** Only a shared drive has room for it; and it needs the right to act in the lab's name, which an owner has not by itself. */
async function writeAsLab(
  { study_folder, shared_drive }: Complete,
  account: string,
): Promise<string | undefined> {
  if (!shared_drive) return undefined;
  try {
    const scope = 'https://www.googleapis.com/auth/drive';
    const token = await gcloud(
      ...['auth', 'print-access-token', `--impersonate-service-account=${account}`, `--scopes=${scope}`],
    );
    return await writeTestFile(study_folder, token);
  } catch (error) {
    if (error instanceof Failed) return undefined;
    throw error;
  }
}

async function objectsIn(bucket: string): Promise<string[]> {
  const objects = ((await gcloudJson('storage', 'objects', 'list', `gs://${bucket}/**`)) ?? []) as {
    name: string;
  }[];
  return objects.map(({ name }) => name);
}

async function exists(url: string): Promise<boolean> {
  try {
    await gcloud('storage', 'objects', 'describe', url, '--format=value(name)');
    return true;
  } catch (error) {
    if (error instanceof Failed) return false;
    throw error;
  }
}
