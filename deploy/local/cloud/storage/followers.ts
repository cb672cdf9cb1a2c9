import { availableParallelism } from 'node:os';
import { createWorkers } from '../workers.ts';
import { createHasher, type HashedContent, type Hashing } from './hashes.ts';

/** What a thread is asked: to go on with a file as far as it is written. */
export type HashJob = { follower: number; path: string; size: number };
/** How far it is now, which may be less; or why it cannot go on. */
export type HashAnswer = HashedContent | { problem: string };

/** Threads that hash files while these are being written, by reading them again: the bytes are in memory still. */
export type Followers = {
  /** @param size of what is in the file already */
  follow(path: string, size?: number): Hashing;
  close(): Promise<void>;
};

/**
 * Writing goes on while a thread is less than this behind: an upload that was sent is answered soon, and what is read
 * has not left the memory yet.
 */
const furthest = 64 * 1024 * 1024;

/**
 * MD5 and CRC32C are two thirds of the work of an upload. On the main thread, nobody else would be answered meanwhile.
 * Threads hold nothing that is not in the file, too: one that dies is replaced, and begins again.
 */
export function createFollowers(): Followers {
  // Each has one thread, which remembers how far it was with which file.
  const threads = Array.from({ length: Math.min(2, availableParallelism()) }, () =>
    createWorkers<HashJob, HashAnswer>(new URL('./hashWorker.ts', import.meta.url), {
      size: 1,
      milliseconds: 60_000,
    }),
  );
  let count = 0;

  const follow: Followers['follow'] = (path, alreadyThere = 0) => {
    const follower = count++;
    const thread = threads[follower % threads.length] as (typeof threads)[number];
    let size = alreadyThere;
    let hashed = createHasher().content();
    let following: Promise<void> | undefined;

    const goOn = async () => {
      try {
        while (hashed.size < size) {
          const answer = await thread.ask({ follower, path, size });
          if ('problem' in answer) throw new Error(answer.problem);
          hashed = answer;
        }
      } finally {
        following = undefined;
      }
    };
    const catchUp = async () => {
      if (hashed.size === size) return;
      following ??= goOn();
      await following;
    };

    // What goes wrong with it goes wrong again when the hashes are asked for.
    catchUp().catch(() => {});
    return {
      get size() {
        return size;
      },
      async take(bytes, written) {
        await written;
        for (const { length } of bytes) size += length;
        const caughtUp = catchUp().catch(() => {});
        if (size - hashed.size > furthest) await caughtUp;
      },
      async content() {
        await catchUp();
        return hashed;
      },
    };
  };

  return {
    follow,
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}
