import type { Context } from '../service.ts';
import type { Folders } from './instances/folders.ts';
import type { Life } from './instances/life.ts';
import type { Operations } from './operations.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** What the routes of Compute Engine share. */
export type Parts = {
  context: Context;
  settings: Settings;
  tables: Tables;
  operations: Operations;
  life: Life;
  folders: Folders;
};

/** The address of a resource: `zones/us-central1-a/instances/job-1`. */
export const linkTo = ({ origin, project }: Context, path: string): string =>
  `${origin()}/compute/v1/projects/${project}/${path}`;

/** How Google names it in its messages. */
export const pathTo = ({ project }: Context, path: string): string => `projects/${project}/${path}`;

/** Ids have up to 19 digits and are never used again. */
let last = 0n;
export function newId(): string {
  const now = BigInt(Date.now()) * 1_000_000n + BigInt(Math.floor(Math.random() * 1_000_000));
  last = now > last ? now : last + 1n;
  return String(last);
}
