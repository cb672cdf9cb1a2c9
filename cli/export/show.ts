import { clean } from '../../shared/clean.ts';
import { type ExportReport, reportOf } from '../../shared/export/exportReport.ts';
import { connect, type Where } from '../connect.ts';
import { localTime } from '../job/localTime.ts';
import { findExport } from './findExport.ts';
import { openExports } from './open.ts';
import { folderWords, progressWords, stateWords, troubleLines } from './words.ts';

export type ShowOptions = Where & { json?: true; all?: true };

/** @returns the exit code */
export async function show(written: string, { json, all, ...where }: ShowOptions): Promise<number> {
  await connect(where);
  const { records } = await openExports();
  const report = await reportOf(records, await findExport(records, written));
  console.log(json ? JSON.stringify(report, undefined, 2) : showWords(report, all ?? false));
  return 0;
}

function showWords(report: ExportReport, all: boolean): string {
  const { id, prefix, folder, by, requestedAt, endedAt, state, reason } = report;
  return [
    `${id}  ${stateWords(state)}${reason ? `: ${clean(reason)}` : ''}`,
    clean(`${prefix} → ${folderWords(report)} (https://drive.google.com/drive/folders/${folder})`),
    clean(`asked for by ${by}, ${localTime(requestedAt)}${endedAt ? `, over ${localTime(endedAt)}` : ''}`),
    progressWords(report),
    ...troubleLines(report, all),
  ].join('\n');
}
