import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const files = join(import.meta.dirname, 'train');

/**
 * Puts an example of heavy work beside the Drive folder of a lab: a Git repository in `code/train`, and `train.job.yaml`,
 * which runs it as soon as somebody drops it into the Drive folder. What is there already is left as it is.
 * @returns the job file, or why there is none, in words
 */
export async function writeTraining(lab: string): Promise<{ jobFile: string } | { problem: string }> {
  const repository = join(lab, 'code', 'train');
  const jobFile = join(lab, 'train.job.yaml');
  if (!existsSync(repository)) {
    const unfinished = join(lab, 'code', '.train');
    try {
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(join(lab, 'code'), { recursive: true });
      await cp(files, unfinished, { recursive: true });
      await commitAll(unfinished);
      await rename(unfinished, repository);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'there is no git on this computer' : message;
      return { problem: `The example of heavy work is not prepared: ${why}` };
    }
  }
  if (!existsSync(jobFile)) {
    await writeFile(`${jobFile}.new`, jobOf(pathToFileURL(repository).href));
    await rename(`${jobFile}.new`, jobFile);
  }
  return { jobFile };
}

/** The same commit at every run and on every computer, whatever the person's own settings of git are. */
async function commitAll(folder: string): Promise<void> {
  const own = Object.entries(process.env).filter(([variable]) => !variable.startsWith('GIT_'));
  const person = { NAME: 'Gazeline', EMAIL: 'example@gazeline.invalid', DATE: '2026-01-01T00:00:00Z' };
  const people = ['AUTHOR', 'COMMITTER'].flatMap((role) =>
    Object.entries(person).map(([field, value]) => [`GIT_${role}_${field}`, value]),
  );
  const env = {
    ...Object.fromEntries([...own, ...people]),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: folder, env });
  await git('init', '--quiet');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'A small training run');
}

const jobOf = (
  repository: string,
) => `# A piece of heavy work. Copy this file into the Drive folder, and it is done:
#
#   cp train.job.yaml drive/
#
# or see first what it may cost:   npx gazeline job submit train.job.yaml
#
# It learns from the annotations of the example study, so they have to be there before. A changed file is another job.

name: Train
repository: ${repository}
script: train.py
parameters: { epochs: 300, rate: 1.0 }

# What is copied to the machine, from the raw or the derived bucket, and the folder that its results are in.
inputs: [derived/annotations/]
results: results
# Saved while it runs: when its machine is taken away, the next one goes on from there.
checkpoints: checkpoints

# What it may run on, the best first. A GPU would be L4 or A100:2, a TPU v5litepod-4.
accelerators: [cpu:2]
spot: prefer
# Where it ends at the latest: hours, and US dollars by list price.
limits: { hours: 0.5, money: 1, attempts: 3 }
`;
