import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ran, run } from '../sync/children.ts';
import type { Files } from '../sync/files.ts';

/** The bare bytes, by addresses that it is handed: nothing is listed, signed, checked or tried again. */
export async function curlFiles(origin: string, prefix: string, folder: string, files: Files): Promise<Ran> {
  const lines = Array.from(files.keys(), (name) =>
    [`url = "${origin}/raw/${prefix}${name}"`, `output = "${join(folder, name)}"`].join('\n'),
  );
  const config = `${folder}.curl`;
  await writeFile(config, lines.join('\n'));
  return run('curl', ['-q', '-sS', '--fail', '--parallel', '--parallel-max', '24', '--config', config]);
}
