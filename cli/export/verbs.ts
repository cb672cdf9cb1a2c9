import type { Command } from 'commander';
import { positive } from '../numbers.ts';
import { run } from '../run.ts';
import { verbsOf } from '../verbs.ts';
import type { CancelOptions } from './cancel.ts';
import type { ListOptions } from './list.ts';
import type { ShowOptions } from './show.ts';
import type { StartOptions } from './start.ts';

/** `npx gazeline export …` */
export function addExportVerbs(program: Command): void {
  const verb = verbsOf(program, 'export', 'from the derived bucket to a folder of a shared drive');
  const ofExport = 'An ID may be shortened to a beginning that no other export has.';

  verb(
    'start',
    'Brings what begins with PREFIX into FOLDER, with its folders, and shows how far that is. What is there unchanged ' +
      'stays; what Gazeline did not write, or somebody changed, is left alone.',
    'Exit code: 0 when all of it is there, 1 if something is not (yet), 2 for an error, 130 after Ctrl-C: the work goes on without you.',
    [
      'annotations/ https://drive.google.com/drive/folders/0ABcDeFgHiJkLmNoPqA',
      'jobs/train-1f0c/results/ "Lab results" --json',
    ],
    true,
  )
    .argument(
      '<prefix>',
      'as jobs/train-1f0c/results/; without the last slash, the folder itself comes along',
    )
    .argument(
      '<folder>',
      'a folder of a shared drive, by its link or its ID; or a shared drive, also by its name',
    )
    .option('--no-wait', 'only ask for it')
    .option('--timeout <minutes>', 'give up watching when nothing has moved for so long', positive, 10)
    .action(run<[string, string, StartOptions]>(async () => (await import('./start.ts')).start));

  verb('list', 'Exports, the newest first.', 'Exit code: 0, 1 if not all could be read, 2 for an error.', [
    'list',
    'list --json --all',
  ])
    .option('--all', 'all there are, not only the last 20')
    .action(run<[ListOptions]>(async () => (await import('./list.ts')).list));

  verb(
    'show',
    `How far an export is, and what is not in the folder under its own name, and why. ${ofExport}`,
    'Exit code: 0, whatever its state is; 2 for an error.',
    ['show export-1f0c', 'show export-1f0c --json'],
  )
    .argument('<id>')
    .option('--all', 'long lists as a whole')
    .action(run<[string, ShowOptions]>(async () => (await import('./show.ts')).show));

  verb(
    'cancel',
    `Ends an export. What is in the folder by then stays, and small files that are being sent at this moment may still come. ${ofExport}`,
    'Exit code: 0 when it is cancelled, 1 if it was over already, 2 for an error.',
    ['cancel export-1f0c', 'cancel export-1f0c --json'],
  )
    .argument('<id>')
    .action(run<[string, CancelOptions]>(async () => (await import('./cancel.ts')).cancel));
}
