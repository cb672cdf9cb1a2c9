import { userInfo } from 'node:os';

/** Who sits at this computer. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, a user may have a number only.
    return process.env.USER ?? 'unknown';
  }
}
