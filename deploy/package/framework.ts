import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { locked } from './locked.ts';

const root = join(import.meta.dirname, '../..');
export const framework = '@google-cloud/functions-framework';

/**
 * The files of the functions framework and of what it needs that it loads when it serves, by their places below the
 * package: nothing is installed where it is deployed. With the manifests and licences of their packages.
 */
export async function frameworkFiles(): Promise<Map<string, Buffer>> {
  const index = createRequire(import.meta.url).resolve(framework);
  const { metafile } = await build({
    absWorkingDir: root,
    // The last one it imports in a way that cannot be seen: `build/src/loader.js`.
    entryPoints: [join(dirname(index), 'main.js'), index, 'read-package-up'],
    outdir: 'out',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    // What Node's own `require` goes by: https://nodejs.org/api/packages.html#conditional-exports
    conditions: ['module-sync'],
    // A real place, and not one that a link was followed to: packages are told from each other by their folders.
    preserveSymlinks: true,
    logLevel: 'error',
  });
  const { packages } = await locked(framework);
  const files = new Map<string, Buffer>();
  for (const input of Object.keys(metafile.inputs)) {
    const path = input.slice(input.indexOf('node_modules/'));
    const place = placeOf(path);
    // What a package only tries to load, and lies here for the sake of another, is not there in a package either.
    if (!packages.has(place)) continue;
    for (const file of [path, ...besides(path, place)]) {
      const contents = files.get(file) ?? (await readFile(join(root, file)).catch(() => undefined));
      if (contents) files.set(file, contents);
    }
  }
  return files;
}

/** `node_modules/a/node_modules/@b/c` of a file in it. */
function placeOf(path: string): string {
  const parts = path.split('/');
  const last = parts.lastIndexOf('node_modules');
  return parts.slice(0, last + (parts[last + 1]?.startsWith('@') ? 3 : 2)).join('/');
}

/** The manifest of a file's package, those in its folders, which say what kind of module it is, and the licence. */
function besides(path: string, place: string): string[] {
  const folders = path
    .slice(place.length + 1)
    .split('/')
    .slice(0, -1);
  const within = folders.map((_, index) => [place, ...folders.slice(0, index + 1), 'package.json'].join('/'));
  const licences = ['LICENSE', 'license', 'LICENSE.md', 'LICENSE.txt'].map((name) => `${place}/${name}`);
  return [`${place}/package.json`, ...within, ...licences];
}
