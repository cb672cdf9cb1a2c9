import { existsSync } from 'node:fs';
import { access, constants, mkdir, readdir, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { config } from '../../shared/config.ts';
import { collectLessOften } from './collectLessOften.ts';
import { writeExample } from './example/writeExample.ts';
import { writeTraining } from './example/writeTraining.ts';
import { startLab } from './lab.ts';
import { lineOf } from './lines.ts';
import { settled } from './settled.ts';
import { tableOf } from './table.ts';

type Options = { dir: string; port: number; once?: true; fresh?: true; isolate?: true };

const portNumber = (text: string) => {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new InvalidArgumentError('Expected a port from 0 (any free one) to 65535.');
};

const program = new Command('npm start --')
  .description(
    'Runs Gazeline on this computer, against a local cloud: no account, no key, no money.\n' +
      'Drop pictures and texts into the folder that it prints, and watch them being synced and annotated.',
  )
  .option('--once', 'end when everything has settled, with a table of what was made')
  .option('--fresh', 'forget the buckets, records and messages first; the files in drive/ stay')
  .option('--port <number>', 'port of the local cloud', portNumber, 8470)
  .option('--dir <folder>', 'where the Drive folder and the buckets lie', 'lab')
  .option('--isolate', 'run each function in a process of its own')
  .action(main);

/** An error that a person can do something about: one line, no stack. */
class Refusal extends Error {}

await program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Refusal ? pc.red(error.message) : error);
  process.exitCode = 1;
});

async function main({ dir, port, once, fresh, isolate }: Options): Promise<void> {
  const folder = resolve(dir);
  await prepare(folder, fresh ?? false);
  const first = !existsSync(join(folder, 'drive'));
  const example = first ? await writeExample(join(folder, 'drive')) : [];

  collectLessOften();
  const lab = await startLab({
    dir: folder,
    port,
    isolate: isolate ?? false,
    onLog: (entry) => {
      const line = lineOf(entry);
      if (line) console.log(line);
    },
  }).catch((error: unknown) => {
    throw refusalOf(error, port);
  });
  // Not before: a folder with other things in it than a lab's is refused.
  const training = first ? await writeTraining(folder) : undefined;

  console.log(`${pc.bold('Gazeline')} runs on this computer.

  Drop files here:   ${pc.cyan(join(folder, 'drive'))}
  The buckets:       ${pc.cyan(join(folder, 'buckets'))}
  The local cloud:   ${pc.cyan(lab.cloud.origin)}
  The API:           ${pc.cyan(config().apiUrl[0] ?? '')}
${example.length > 0 ? `\nAn example study of ${example.length} files is there already.\n` : ''}${training ? hintOf(training, folder) : ''}
${once ? 'It ends when everything has settled.' : 'Ctrl-C ends it; the next start goes on where it was.'}
`);

  const interrupted = new Promise<'interrupted'>((done) => {
    process.once('SIGINT', () => done('interrupted'));
    process.once('SIGTERM', () => done('interrupted'));
  });
  if (once) {
    const end = await Promise.race([settled(lab.cloud.origin), interrupted]);
    if (end !== 'interrupted') console.log(`\n${await tableOf()}`);
    else process.exitCode = 130;
  } else {
    await interrupted;
  }
  await lab.close();
}

function hintOf(training: Awaited<ReturnType<typeof writeTraining>>, folder: string): string {
  if ('problem' in training) return `\n${pc.yellow(training.problem)}\n`;
  const file = typed(training.jobFile);
  const elsewhere = folder === resolve('lab') ? '' : ` --dir ${typed(folder)}`;
  return `
  To run a job, once all is annotated:   ${pc.cyan(`cp ${file} ${typed(join(folder, 'drive'))}/`)}
  To hear first what it may cost:        ${pc.cyan(`npx gazeline job submit ${file}${elsewhere}`)}
`;
}

/** A path as a person types it here. */
function typed(path: string): string {
  const near = relative('', path) || '.';
  const short = near.startsWith('..') ? path : near;
  return /^[\w./-]+$/.test(short) ? short : `'${short.replaceAll("'", "'\\''")}'`;
}

async function prepare(folder: string, fresh: boolean): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    const ours = existsSync(join(folder, '.cloud'));
    const strangers = (await readdir(folder)).filter((name) => !name.startsWith('.') && name !== 'drive');
    if (!ours && strangers.length > 0) {
      throw new Refusal(`${folder} holds other things. Choose an empty or a new folder with --dir.`);
    }
    if (!fresh) return;
    // The cloud first: without its database, the buckets are only copies.
    for (const part of ['.cloud', 'buckets', 'machines'])
      await rm(join(folder, part), { recursive: true, force: true });
  } catch (error) {
    throw refusalOf(error, 0);
  }
}

function refusalOf(error: unknown, port: number): unknown {
  const { code, path = '', message = '' } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new Refusal(`Port ${port} is in use. Choose another one: npm start -- --port 0`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new Refusal(`${path} cannot be written. Choose another folder: npm start -- --dir FOLDER`);
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') return new Refusal(`${path} is not a folder.`);
  if (message.startsWith('Another local cloud'))
    return new Refusal(`${message}. End it, or choose another --dir.`);
  return error;
}
