import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Job } from '../../shared/jobs/job.ts';
import { readJob, writtenIn } from '../../shared/jobs/parseJob.ts';
import { Refusal } from '../../shared/refusal.ts';

/** As much as no job has, before it is refused as too large. */
const mostBytes = 1024 * 1024;

/**
 * The job that a file or standard input describes.
 * @param isLocal there its repository may be a folder; a relative one is counted from where the file lies
 * @throws InvalidJob, or Refusal if there is no such file
 */
export async function readSource(file: string, isLocal: boolean): Promise<Job> {
  const written = writtenIn(file === '-' ? await text(process.stdin) : await contentOf(file));
  const from = file === '-' ? process.cwd() : dirname(resolve(file));
  return readJob(isLocal ? await withRepository(written, from) : written, { allowFile: isLocal });
}

async function contentOf(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    return bytes.subarray(0, mostBytes).toString();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Refusal(`There is no file ${file}.`);
    throw new Refusal(`${file} cannot be read (${code ?? (error as Error).message}).`, { cause: error });
  }
}

/** A path becomes the address of the whole repository that it lies in: Git can fetch nothing else. */
export async function withRepository(written: unknown, from: string): Promise<unknown> {
  const { repository } = (written ?? {}) as { repository?: unknown };
  const isPath = typeof repository === 'string' && /^(\.{1,2}(\/|$)|\/)/.test(repository);
  if (!isPath) return written;
  const folder = resolve(from, repository);
  const top = await git(folder, 'rev-parse', '--show-toplevel');
  if (top === undefined)
    throw new Refusal(`repository: ${folder} is not a Git repository. In it: git init, git add, git commit.`);
  return { ...(written as object), repository: pathToFileURL(top).href };
}

export type Checkout = {
  folder: string;
  /** What the ref stands for now. */
  commit: string;
  /** Files with changes that no commit has, so that no machine gets them. */
  uncommitted: number;
};

/**
 * How a repository on this computer is.
 * @throws Refusal if it has no such commit
 */
export async function checkoutOf({ repository, ref }: Job): Promise<Checkout | undefined> {
  if (!repository.startsWith('file:')) return undefined;
  const folder = fileURLToPath(repository);
  const commit = await git(folder, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`);
  if (commit === undefined) {
    const isThere = (await git(folder, 'rev-parse', '--git-dir')) !== undefined;
    throw new Refusal(
      isThere
        ? `ref: ${folder} has no commit ${ref}. Is anything committed there?`
        : `repository: ${folder} is not a Git repository.`,
    );
  }
  const changed = (await git(folder, 'status', '--porcelain')) ?? '';
  return { folder, commit, uncommitted: changed.split('\n').filter(Boolean).length };
}

/** What git prints; undefined if it says no. */
async function git(folder: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('git', ['-C', folder, ...args], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout.replace(/\n$/, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Refusal('A repository in a folder needs git, which is not here.', { cause: error });
    return undefined;
  }
}
