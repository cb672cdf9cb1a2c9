import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import type { ExportReport, ExportSummary, Trouble } from '../../shared/export/exportReport.ts';
import type { ExportRun, Outcome } from '../../shared/export/exportRun.ts';
import { sizeOf } from '../../shared/sizeOf.ts';

const looks: { [state in ExportRun['state']]: [mark: string, colour: (text: string) => string] } = {
  listing: ['…', pc.cyan],
  running: ['▸', pc.cyan],
  done: ['✓', pc.green],
  failed: ['✗', pc.red],
  cancelled: ['✗', pc.yellow],
};

export function stateWords(state: ExportRun['state']): string {
  const [mark, colour] = looks[state];
  return colour(`${mark} ${state}`);
}

const words: Record<Outcome['did'], string> = {
  exported: 'exported',
  unchanged: 'unchanged',
  conflict: 'beside what is not ours',
  folder: 'folders',
  gone: 'gone meanwhile',
  failed: 'failed',
};

/** `3 exported, 1 unchanged`, always in the same order. */
export const wordsOfCounts = (counts: Record<string, number>) =>
  Object.entries(words)
    .flatMap(([did, word]) => (counts[did] ? [`${counts[did]} ${word}`] : []))
    .join(', ');

export const doneOf = ({ counts }: Pick<ExportSummary, 'counts'>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

export const folderWords = ({ folder, folderName }: ExportSummary) =>
  folderName === undefined ? folder : `“${folderName}”`;

/** Of how many objects what is known, and what was sent. */
export function progressWords(run: ExportSummary): string {
  const open = run.objects - doneOf(run);
  return [
    `${run.objects} objects`,
    wordsOfCounts(run.counts),
    ...(open > 0 ? [`${open} ${run.state === 'cancelled' ? 'not exported' : 'open'}`] : []),
    ...(run.bytesSent > 0 ? [`${sizeOf(run.bytesSent)} sent`] : []),
  ]
    .filter(Boolean)
    .join(', ');
}

const shown = 20;

/** A line for each object that is not in the folder under its own name. */
export function troubleLines({ troubles }: Pick<ExportReport, 'troubles'>, all: boolean): string[] {
  const some = all ? troubles : troubles.slice(0, shown);
  const more = troubles.length - some.length;
  return [...some.map(troubleLine), ...(more > 0 ? [pc.dim(`… and ${more} more; --all shows them`)] : [])];
}

function troubleLine({ name, did, as, because }: Trouble): string {
  const what = did === 'gone' ? 'it was removed before its turn came' : because;
  const where = as ? ` is there as ${as}` : '';
  const line = clean(`${name}${where}${what ? `: ${what}` : ''}`);
  return did === 'failed' ? pc.red(line) : pc.yellow(line);
}
