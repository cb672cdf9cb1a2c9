import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';
import { functions } from '../functions/index.ts';
import { packageOf } from './package/packageOf.ts';
import { unpack } from './package/unpack.ts';
import { zip } from './package/zip.ts';

/*
 * What is deployed, for each function a folder in build/packages/ and the same as a zip file: `npm run build`, or
 * `npm run build -- annotate file-sync` for some.
 */
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in functions));
if (unknown) throw new Error(`There is no function ${unknown}`);
const names = asked.length > 0 ? asked : Object.keys(functions);
const packages = 'build/packages';
const table = new Table({
  head: ['package', 'files', 'MB', 'zipped, MB'],
  style: { head: [], border: [], compact: true },
  colAligns: ['left', 'right', 'right', 'right'],
});
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);
if (asked.length === 0) await rm('build', { recursive: true, force: true });
for (const name of names) {
  const files = await packageOf(name);
  const folder = join(packages, name);
  await rm(folder, { recursive: true, force: true });
  await unpack(files, folder);
  const zipped = zip(files);
  await writeFile(`${folder}.zip`, zipped);
  const size = [...files.values()].reduce((sum, contents) => sum + contents.length, 0);
  table.push([name, files.size, megabytes(size), megabytes(zipped.length)]);
}
console.log(table.toString());
