import { glob, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { type BuildResult, build } from 'esbuild';
import { onlyOneFunction } from './onlyOneFunction.ts';
import { protos } from './protos.ts';

const root = join(import.meta.dirname, '../..');
const outdir = 'out';

/** What a source file reads while it runs: where those files are, and the folder in which they are in a package as well. */
const assets: Record<string, { files: string; below: string }> = {
  'shared/machines/startupScript.ts': { files: 'deploy/google/*/start.sh', below: 'deploy/google' },
};

/**
 * One function and what it uses, in files that are loaded when they are needed: without it, a start reads some hundreds
 * of files (`npm run bench:cold-start`).
 * @returns the files by their names in the package; `index.js` is the first
 */
export async function bundle(name: string): Promise<Map<string, Buffer>> {
  const descriptions = new Map<string, Buffer>();
  let built = await bundleOf(name, descriptions, []);
  // A file that starts itself as a thread needs one of its own: from within a shared one, all of that would start.
  const threads = await sourcesWith(built, /new Worker\(/);
  if (threads.length > 0) built = await bundleOf(name, descriptions, threads);

  const files = new Map<string, Buffer>();
  const reached = reachedIn(built);
  for (const { path, contents } of built.outputFiles) {
    const output = relative(root, path);
    if (reached.has(output)) files.set(relative(outdir, output), Buffer.from(contents));
  }
  for (const [description, contents] of descriptions)
    if (reached.has(`./${description}`)) files.set(description, contents);
  for (const source of await sourcesWith(built, /import\.meta\./)) {
    const wanted = assets[source];
    if (!wanted && !threads.includes(source))
      throw new Error(`${source} looks for files beside it; say in deploy/package/bundle.ts which`);
    if (wanted)
      for await (const file of glob(wanted.files, { cwd: root }))
        files.set(relative(wanted.below, file), await readFile(join(root, file)));
  }
  return files;
}

type Built = BuildResult<{ metafile: true; write: false }> & { threads: string[] };

const threadName = (source: string) => basename(source, '.ts');

async function bundleOf(name: string, descriptions: Map<string, Buffer>, threads: string[]): Promise<Built> {
  const built = await build({
    absWorkingDir: root,
    entryPoints: {
      index: 'functions/serve.ts',
      ...Object.fromEntries(threads.map((thread) => [threadName(thread), thread])),
    },
    outdir,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    // Not the white space and the names: a stack trace in the logs is to be readable, and a package is compressed.
    minifySyntax: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // The framework has to be the one that serves.
    external: ['@google-cloud/functions-framework'],
    // The same paths in the same bundle, wherever node_modules really is.
    preserveSymlinks: true,
    // Bundled CommonJS modules ask for these, which an ES module does not have.
    banner: {
      js: [
        "import{createRequire as requireOf}from'node:module';",
        'const require=requireOf(import.meta.url),__dirname=import.meta.dirname,__filename=import.meta.filename;',
      ].join(''),
    },
    plugins: [onlyOneFunction(name), protos(descriptions)],
    logLevel: 'warning',
  });
  return { ...built, threads };
}

/** What `index.js` and the threads import, late or at once: esbuild also writes what only left-out code imports. */
function reachedIn({ metafile, threads }: Built): Set<string> {
  const reached = new Set<string>();
  const reach = (output: string) => {
    if (reached.has(output)) return;
    reached.add(output);
    for (const { path } of metafile.outputs[output]?.imports ?? []) reach(path);
  };
  for (const name of ['index', ...threads.map(threadName)]) reach(`${outdir}/${name}.js`);
  return reached;
}

/** Of our own sources that are in the bundle, those in which something is said. */
async function sourcesWith(built: Built, what: RegExp): Promise<string[]> {
  const inputs = [...reachedIn(built)].flatMap((output) =>
    Object.entries(built.metafile.outputs[output]?.inputs ?? {}).flatMap(([source, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [source] : [],
    ),
  );
  const own = [...new Set(inputs)].filter((source) => /^(functions|shared)\//.test(source)).sort();
  const found = [];
  for (const source of own) if (what.test(await readFile(join(root, source), 'utf8'))) found.push(source);
  return found;
}
