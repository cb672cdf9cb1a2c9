import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files of a package, into a folder where nothing else of the repository is in reach. */
export async function unpack(files: Map<string, Buffer>, folder: string): Promise<string> {
  for (const [file, contents] of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), contents);
  }
  return folder;
}
