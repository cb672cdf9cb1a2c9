import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type { Cloud } from '../../../../../deploy/local/cloud/cloud.ts';

/** Asks again until the answer is truthy. */
export async function until<T>(ask: () => Promise<T> | T, seconds = 10): Promise<NonNullable<T>> {
  const deadline = Date.now() + 1000 * seconds;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`Waited ${seconds} s in vain for ${ask}`);
    await sleep(20);
  }
}

/** Waits until the cloud says that the Drive has nothing left to do. */
export const settled = ({ origin }: Pick<Cloud, 'origin'>) =>
  until(async () => {
    const response = await fetch(`${origin}/_local/pending`);
    return ((await response.json()) as { drive: number }).drive === 0;
  });

export type Feed = {
  /** The changes since the last call. */
  next(): Promise<drive_v3.Schema$Change[]>;
};

/** Follows the change feed as any client would. */
export async function follow(drive: drive_v3.Drive, params: { driveId?: string } = {}): Promise<Feed> {
  const all = params.driveId ? { supportsAllDrives: true, includeItemsFromAllDrives: true } : {};
  const start = await drive.changes.getStartPageToken({ ...params, ...all });
  let pageToken = start.data.startPageToken ?? '';
  return {
    async next() {
      const changes: drive_v3.Schema$Change[] = [];
      for (;;) {
        const { data } = await drive.changes.list({
          ...params,
          ...all,
          pageToken,
          pageSize: 50,
          fields: '*',
        });
        changes.push(...(data.changes ?? []));
        pageToken = data.nextPageToken ?? data.newStartPageToken ?? '';
        if (data.newStartPageToken) return changes;
      }
    },
  };
}

export const md5 = (bytes: string | Buffer) => createHash('md5').update(bytes).digest('hex');

/** Runs it and gives what it was refused with. */
export async function refusal(work: Promise<unknown>) {
  const error = await work.then(
    () => {
      throw new Error('It was not refused');
    },
    (error: unknown) => error as { response?: { status: number; data: unknown } },
  );
  if (!error.response) throw error;
  const { status, data } = error.response;
  const body = (typeof data === 'string' ? JSON.parse(data) : data) as {
    error: { errors: { reason: string; location?: string }[] };
  };
  return { status, reason: body.error.errors[0]?.reason, location: body.error.errors[0]?.location };
}
