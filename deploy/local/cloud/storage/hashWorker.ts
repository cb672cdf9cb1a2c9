import { closeSync, openSync, readSync } from 'node:fs';
import { answerJobs } from '../workers.ts';
import type { HashAnswer, HashJob } from './followers.ts';
import { createHasher, type Hasher } from './hashes.ts';

/*
 * The thread of `followers.ts`. It waits for the disk: nothing else happens here.
 */

/** A job goes no further than this, so that a long file does not keep others waiting. */
const step = 32 * 1024 * 1024;
/** Both hashes find it in the processor's cache. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);
/** By follower. Nobody says when an upload was given up: the one that was asked for longest ago makes room. */
const hashers = new Map<number, Hasher>();
const most = 1000;

answerJobs<HashJob, HashAnswer>(async ({ follower, path, size }) => {
  // Of what is not known, or not any more, all is on disk.
  const hasher = hashers.get(follower) ?? createHasher();
  hashers.delete(follower);
  try {
    const end = Math.min(size, hasher.size + step);
    const file = openSync(path, 'r');
    try {
      while (hasher.size < end) {
        const read = readSync(file, buffer, 0, Math.min(buffer.length, end - hasher.size), hasher.size);
        if (read === 0) throw new Error(`The file has become shorter than ${size} bytes`);
        hasher.update(buffer.subarray(0, read));
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    // Not thrown: that would end the thread, and others' files would be hashed from their beginning again.
    return { problem: String(error) };
  }
  if (hashers.size >= most) hashers.delete(hashers.keys().next().value ?? 0);
  hashers.set(follower, hasher);
  return hasher.content();
});
