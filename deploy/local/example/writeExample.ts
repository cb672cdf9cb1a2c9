import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { pages, title } from './lighthouse.ts';
import { poster } from './pictures/poster.ts';
import { stillLife } from './pictures/stillLife.ts';
import { street } from './pictures/street.ts';
import { renderPage } from './renderPage.ts';
import { renderSvg } from './renderSvg.ts';

/** What the study holds as it is: the note, gazeline.yaml, the text. */
const study = join(import.meta.dirname, 'study');

const drawn: Record<string, () => Promise<Buffer>> = {
  ...Object.fromEntries(
    pages.map((text, i) => [
      `stimuli/pages/page-${i + 1}.png`,
      async () => (await renderPage(text, i === 0 ? { title } : {})).png,
    ]),
  ),
  'stimuli/pictures/street.png': () => renderSvg(street()),
  'stimuli/pictures/still life.png': () => renderSvg(stillLife()),
  'stimuli/pictures/poster.png': () => renderSvg(poster()),
  // The same bytes once more: annotated once, found under both names.
  'stimuli/second session/poster again.png': () => renderSvg(poster()),
};

/**
 * Puts the example study into `driveFolder`, which need not be there yet: the same bytes at every run.
 *
 * A file that is already there is left as it is, so that a run which was cut off can be repeated, and nobody's work
 * is overwritten. Each file appears whole: until then its name begins with a dot.
 * @returns the paths that were written, relative to `driveFolder`, with `/` between folders, sorted.
 */
export async function writeExample(driveFolder: string): Promise<string[]> {
  const files = { ...(await readStudy()), ...drawn };
  const missing = Object.entries(files).filter(([path]) => !existsSync(join(driveFolder, path)));
  for (const [path, content] of missing) await writeWhole(join(driveFolder, path), await content());
  return missing.map(([path]) => path).sort();
}

async function readStudy(): Promise<Record<string, () => Promise<Buffer>>> {
  const entries = await readdir(study, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    // In order: gazeline.yaml is there before the stimuli that it speaks of.
    paths.sort().map((path) => [relative(study, path).split(sep).join('/'), () => readFile(path)]),
  );
}

async function writeWhole(path: string, content: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    await writeFile(unfinished, content);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
