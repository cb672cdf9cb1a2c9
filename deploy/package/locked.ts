import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const root = join(import.meta.dirname, '../..');
const Locked = z.looseObject({
  version: z.string().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  dev: z.boolean().optional(),
});
export type Locked = z.infer<typeof Locked>;
const Lock = z.object({ lockfileVersion: z.number(), packages: z.record(z.string(), Locked) });

/** Of the repository's lock, a package and all that it needs, by their places: `node_modules/a/node_modules/b`. */
export async function locked(
  name: string,
): Promise<{ lockfileVersion: number; version: string; packages: Map<string, Locked> }> {
  const lock = Lock.parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
  const packages = new Map<string, Locked>();
  const need = (dependency: string, from: string) => {
    const place = placeOf(dependency, from, lock.packages);
    const found = lock.packages[place];
    // Optional for its package, and not there on any system.
    if (!found || packages.has(place)) return;
    const { dev: _, ...rest } = found;
    packages.set(place, rest);
    for (const next of Object.keys(rest.dependencies ?? {})) need(next, place);
  };
  need(name, '');
  const { lockfileVersion } = lock;
  return { lockfileVersion, version: lock.packages['']?.version ?? '', packages };
}

/** Node looks in the package itself first, then in those around it. */
function placeOf(dependency: string, from: string, packages: Record<string, Locked>): string {
  for (
    let around = from;
    around !== '';
    around = around.slice(0, Math.max(0, around.lastIndexOf('/node_modules/')))
  ) {
    const place = `${around}/node_modules/${dependency}`;
    if (packages[place]) return place;
  }
  return `node_modules/${dependency}`;
}
