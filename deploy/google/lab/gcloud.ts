import { run } from './program.ts';

/** What a gcloud command prints. Nothing is ever asked by gcloud itself: we have asked. */
export const gcloud = async (...args: string[]): Promise<string> =>
  (await run('gcloud', [...args, '--quiet'], { env: { CLOUDSDK_CORE_DISABLE_PROMPTS: '1' } })).trim();

/** The same as data. */
export const gcloudJson = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await gcloud(...args, '--format=json')) || 'null');
