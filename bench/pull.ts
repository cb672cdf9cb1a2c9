import { join } from 'node:path';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import { collectLessOften } from '../deploy/local/collectLessOften.ts';
import { startLab } from '../deploy/local/lab.ts';
import { type Measuring, measuring, refuseFullDisk, whole } from './measuring.ts';
import type { Bench } from './pull/bench.ts';
import { large, small } from './pull/cases.ts';
import { gazelinePuller } from './pull/gazeline.ts';
import { gcloudPullers, gsutilPuller, versionOf } from './pull/google.ts';

/*
 * lab.pull of the notebook module beside Google's own programs and a bare curl: the same objects, from the same local
 * Cloud Storage, in the same run, one after the other.
 */
type Options = { only?: 'large' | 'small' | 'unchanged'; bytes: number; files: number; rounds: number };

const program = new Command('npm run bench:pull --')
  .description(
    'Measures lab.pull beside gsutil, gcloud storage and a bare curl. It needs python3 and curl; gcloud and gsutil are taken from PATH.',
  )
  .addOption(new Option('--only <case>', 'one of the cases').choices(['large', 'small', 'unchanged']))
  .option('--bytes <number>', 'size of the large file', whole, 2_000_000_000)
  .option('--files <number>', 'how many small files', whole, 2000)
  .option('--rounds <number>', 'how often each is measured; the median is shown', whole, 3)
  .parse();

await measuring(measure);

async function measure({ dir, closing, progress }: Measuring): Promise<void> {
  const { only, bytes, files, rounds } = program.opts<Options>();
  if (only === undefined || only === 'large') await refuseFullDisk(4 * bytes);
  collectLessOften();
  const lab = await startLab({
    dir: join(dir, 'lab'),
    onLog: ({ severity, message }) => severity !== 'INFO' && console.error(message),
  });
  closing.push(() => lab.close());
  const [gcloud, gsutil] = [versionOf('gcloud'), versionOf('gsutil')];
  for (const [name, version] of Object.entries({ gcloud, gsutil }))
    if (!version)
      progress(pc.yellow(`${name} is not there (https://cloud.google.com/sdk): measured without it.`));
  const pullers = [
    await gazelinePuller(join(dir, 'lab')),
    ...(gsutil ? [gsutilPuller(dir, lab.cloud)] : []),
    ...(gcloud ? gcloudPullers(dir, lab.cloud) : []),
  ];
  const bench: Bench = { dir, lab, pullers, rounds, progress };

  const results: string[] = [];
  if (only !== 'large') results.push(...(await small(bench, files, only)));
  if (only === undefined || only === 'large') results.push(await large(bench, bytes));
  console.log([compared(gcloud, gsutil, rounds), ...results].join('\n\n'));
}

/** What the figures are of. */
function compared(gcloud: string | undefined, gsutil: string | undefined, rounds: number): string {
  return `\
The same objects come from the same local Cloud Storage, to one after the other; it serves them from the same two cores
that they run on. The MD5s of all files are checked afterwards. Times are medians of ${rounds} runs, from the start of a
process to its end.

Gazeline        lab.pull in a Python that is started for it: it connects, lists, asks the lab's API for signed addresses,
                brings and checks the bytes, and has the API write down a manifest. "The call alone" is lab.pull, as in a
                notebook that runs already.
gsutil          ${gsutil ?? 'not there'}: "-m cp -r", and with "-n" when nothing has changed. It speaks TLS only; here its
                connections are made plain.
gcloud storage  ${gcloud ?? 'not there'}: "cp -r", with "--no-clobber" when nothing has changed, and "rsync -r".
curl            One process, up to 24 files at a time, which is handed the addresses: nothing is listed or checked.`;
}
