import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/**
 * A Python of our own, with what the tests and benchmarks of the notebook module need. It is made once, for each
 * requirements.txt; the system's is left alone. `GAZELINE_PYTHON` names another one to make it of.
 * @returns the path of its program
 */
export async function python(): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const base = process.env.GAZELINE_PYTHON ?? 'python3';
  const { stdout: version } = await run(base, ['--version']);
  const digest = createHash('sha256')
    .update(version)
    .update(await readFile(requirements));
  const folder = join(root, 'node_modules/.cache', `gazeline-python-${digest.digest('hex').slice(0, 12)}`);
  const program = join(folder, 'bin/python');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return program;
  console.error(`Making a Python in ${folder}, once.`);
  await rm(folder, { recursive: true, force: true });
  await run(base, ['-m', 'venv', folder]);
  await run(program, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
  await writeFile(complete, '');
  return program;
}
