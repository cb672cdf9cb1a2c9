import { join } from 'node:path';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import { type Measuring, measuring, refuseFullDisk, whole } from './measuring.ts';
import type { Bench } from './sync/bench.ts';
import { writeMany } from './sync/files.ts';
import { large } from './sync/large.ts';
import { favourable, rcloneFor, rcloneVersion } from './sync/rclone.ts';
import { renamed } from './sync/renamed.ts';
import { small } from './sync/small.ts';
import { startProxy } from './sync/startProxy.ts';
import { openStudy } from './sync/study.ts';
import { openTree } from './sync/tree.ts';
import { unchanged } from './sync/unchanged.ts';

/*
 * The sync beside rclone and beside a bare pipe: the same files, from the same local Drive to the same local Cloud
 * Storage, in the same run, one after the other.
 */
type Options = {
  only?: 'large' | 'small' | 'unchanged' | 'rename';
  bytes: number;
  files: number;
  tree: number;
  rounds: number;
  isolate?: true;
};

const program = new Command('npm run bench:sync --')
  .description(
    'Measures the sync beside rclone and a bare pipe. RCLONE names the program; else it is in PATH.',
  )
  .addOption(
    new Option('--only <case>', 'one of the cases').choices(['large', 'small', 'unchanged', 'rename']),
  )
  .option('--bytes <number>', 'size of the large file', whole, 2_000_000_000)
  .option('--files <number>', 'how many small files', whole, 1000)
  .option(
    '--tree <number>',
    'how many files there are when nothing has changed, or their folder is renamed',
    whole,
    10_000,
  )
  .option('--rounds <number>', 'how often the first three cases are measured; the median is shown', whole, 3)
  .option(
    '--isolate',
    'each function in a process of its own, as in the cloud; the memory is that of the largest',
  )
  .parse();

await measuring(measure);

async function measure({ dir, closing, progress }: Measuring): Promise<void> {
  const { only, bytes, files, tree: count, rounds, isolate } = program.opts<Options>();
  const wanted = (name: NonNullable<Options['only']>) => only === undefined || only === name;
  if (wanted('large')) await refuseFullDisk(4 * bytes);
  const study = await openStudy(dir, isolate ?? false);
  closing.push(() => study.close());
  const { origin, keyFile, studyFolder } = study.lab.cloud;
  const proxy = await startProxy(dir, origin).catch(
    (error: Error) => void progress(pc.yellow(error.message)),
  );
  const version = rcloneVersion();
  if (!version) {
    progress(
      pc.yellow(
        'rclone is not there: install it (`apt-get install rclone`, or `go install github.com/rclone/rclone@latest`) or name it in RCLONE. The others are measured without it.',
      ),
    );
  }
  const rclone = version && proxy ? rcloneFor({ origin, keyFile, studyFolder, proxy }) : undefined;
  const bench: Bench = { dir, study, rclone, proxy, rounds, progress };

  // The functions are loaded, and have their connections, before anything is measured.
  await writeMany(join(dir, 'drive', 'warm up'), 20, 1000);
  await study.known();
  await study.sync();

  const results: string[] = [];
  if (wanted('large')) results.push(await large(bench, bytes));
  if (wanted('small')) results.push(await small(bench, files));
  if (wanted('unchanged') || wanted('rename')) {
    const tree = await openTree(bench, count);
    if (wanted('unchanged')) results.push(await unchanged(bench, tree));
    if (wanted('rename')) results.push(await renamed(bench, tree));
  }
  console.log([compared(bench, isolate ?? false), ...results].join('\n\n'));
}

/** What the figures are of. */
function compared({ rclone, rounds }: Bench, isolate: boolean): string {
  const processes = isolate
    ? ['each in a process of its own', 'the largest']
    : ['all in one process', 'this one'];
  const ours = `\
The same files go from the same local Drive to the same local Cloud Storage, by one after the other. The names and MD5s of
every copy are checked afterwards. Times are medians of up to ${rounds} runs, peak memory is the most of all runs.

Gazeline        From a tick of its clock, when Drive knows of the change, until the bucket holds what it should; "until
                settled" has every new object handed on to what comes after the sync, too. Its functions are running,
                ${processes[0]}; the memory is that of ${processes[1]}. It keeps to no
                quota of Drive's here, as it would at Google (nor does rclone, where it is favourable).
bare pipe       One Node process: a plain GET from Drive into a plain upload, up to 64 at a time; nothing is checked,
                nothing kept, nothing tried again. Its start is not counted.`;
  if (!rclone) return ours;
  return `${ours}
rclone          ${rclone.version}, "rclone sync drive: bucket:" (googlecloudstorage), from its start to its end. It cannot
                be told of another Drive, so its Drive requests reach the local one by a proxy that ends TLS; what that
                costs is what the bare pipe loses by the same proxy. Its storage requests take no detour.
 favourable     ${favourable.join(' ')}
 copyurl        "rclone copyurl" from Drive's own address of the file, without the proxy.
 from disk      "rclone sync" from the folder on disk that is the Drive: no Drive requests, no proxy.`;
}
