import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { type ExportReport, isComplete, reportOf } from '../../shared/export/exportReport.ts';
import { type ExportRun, isOver, readExportRun } from '../../shared/export/exportRun.ts';
import { ExportRequest, requestExport } from '../../shared/export/requestExport.ts';
import { Refusal } from '../../shared/refusal.ts';
import { sizeOf } from '../../shared/sizeOf.ts';
import { userName } from '../../shared/userName.ts';
import { connect, type Where } from '../connect.ts';
import { openProgressBar, type ProgressBar } from '../progressBar.ts';
import { folderOf } from './folderOf.ts';
import { type OpenExports, openExports } from './open.ts';
import { doneOf, folderWords, progressWords, troubleLines } from './words.ts';

export type StartOptions = Where & {
  json?: true;
  wait: boolean;
  /** Minutes. */
  timeout: number;
};

/** @returns the exit code: 0 when all of it is there, 1 if something is not */
export async function start(prefix: string, folder: string, options: StartOptions): Promise<number> {
  const { json, wait, timeout, ...where } = options;
  await connect(where);
  const request = ExportRequest.safeParse({ prefix, folder: await folderOf(folder) });
  if (!request.success) throw new Refusal(`“${prefix}” is no beginning of the name of an object.`);
  const exports = await openExports();
  const run = await requestExport(request.data, { by: userName(), key: randomUUID() }, exports, new Date());
  if (!wait) {
    if (json) console.log(JSON.stringify({ id: run.id }));
    else console.log(`It is asked for. npx gazeline export show ${run.id} shows how it goes.`);
    return 0;
  }
  const bar = openProgressBar();
  process.once('SIGINT', () => {
    bar.end();
    console.error(
      `\nYou watch no more, and the work goes on. npx gazeline export show ${run.id} shows how it goes.`,
    );
    process.exit(130);
  });
  console.error(`It is asked for as ${run.id}. Ctrl-C ends the watching only.`);
  try {
    const report = await watch(exports, run, timeout * 60_000, bar);
    bar.end();
    console.log(json ? JSON.stringify(report, undefined, 2) : summaryWords(report));
    return isComplete(report) ? 0 : 1;
  } finally {
    bar.end();
  }
}

/** Looks until it is over, or until nothing has moved for `patience`; milliseconds. */
async function watch(
  { records }: OpenExports,
  { id }: ExportRun,
  patience: number,
  bar: ProgressBar,
): Promise<ExportReport> {
  let last = '';
  let since = Date.now();
  for (let pause = 200; ; pause = Math.min(pause * 1.5, 2000)) {
    const run = (await readExportRun(records, id)) as ExportRun;
    const report = await reportOf(records, run);
    if (isOver(run)) return report;
    bar.show(doneOf(report), report.objects, `objects; ${sizeOf(report.bytesSent)} sent`);
    const seen = JSON.stringify(report);
    if (seen !== last) since = Date.now();
    last = seen;
    if (Date.now() - since > patience) return report;
    await sleep(pause);
  }
}

function summaryWords(report: ExportReport): string {
  const { id, state, reason, folder } = report;
  if (state === 'failed') return `${pc.red('✗')} ${clean(reason ?? '')}`;
  const lines = troubleLines(report, false);
  const progress = progressWords(report);
  const where = clean(`${folderWords(report)}, https://drive.google.com/drive/folders/${folder}`);
  if (state === 'cancelled')
    return [
      `${pc.yellow('✗')} ${clean(reason ?? 'it was cancelled')}: ${progress}. What was copied stays in ${where}`,
      ...lines,
    ].join('\n');
  if (state !== 'done')
    return [
      `${pc.yellow('…')} Not done yet: ${progress}.`,
      `The work goes on; npx gazeline export show ${id} shows how it goes.`,
      ...lines,
    ].join('\n');
  const mark = isComplete(report) ? pc.green('✓') : pc.red('✗');
  return [`${mark} ${progress}. In ${where}`, ...lines].join('\n');
}
