import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { statusOf } from '../drive/driveFile.ts';

/** Ids to make files with, each given once. */
export type NextId = () => Promise<string>;

const atATime = 100;

/**
 * A file that is made with an id of ours is not made twice, even if the answer is lost.
 * https://developers.google.com/workspace/drive/api/guides/manage-uploads#pre-generate
 */
export function fileIds(drive: drive_v3.Drive): NextId {
  let ids: string[] = [];
  let asking: Promise<void> | undefined;
  const ask = async () => {
    const { data } = await drive.files.generateIds({ count: atATime });
    ids = data.ids ?? [];
  };
  return async () => {
    for (;;) {
      const id = ids.pop();
      if (id) return id;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      await asking;
    }
  };
}

/**
 * Does `make` with an id of ours. That such ids may be used in shared drives is not written anywhere: where Drive does not
 * take one, it gives one of its own.
 */
export async function withId<T>(id: string, make: (id: { id?: string }) => Promise<T>): Promise<T> {
  try {
    return await make({ id });
  } catch (error) {
    if (!isIdRefused(error)) throw error;
    return make({});
  }
}

/** A file with this id is there already: most likely it is what an earlier attempt made. */
export const isIdInUse = (error: unknown) => statusOf(error) === 409;

const isIdRefused = (error: unknown) => {
  const { response } = (error ?? {}) as {
    response?: { data?: { error?: { errors?: { location?: string }[] } } };
  };
  const location = response?.data?.error?.errors?.[0]?.location;
  return statusOf(error) === 400 && (location === 'file.id' || location === 'id');
};
