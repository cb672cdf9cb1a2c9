import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { cancelExport } from '../../shared/export/cancelExport.ts';
import { reportOf } from '../../shared/export/exportReport.ts';
import { userName } from '../../shared/userName.ts';
import { connect, type Where } from '../connect.ts';
import { findExport } from './findExport.ts';
import { openExports } from './open.ts';
import { folderWords, progressWords, stateWords, troubleLines } from './words.ts';

export type CancelOptions = Where & { json?: true };

/** @returns the exit code: 0 when it is cancelled, 1 if it was over already */
export async function cancel(written: string, { json, ...where }: CancelOptions): Promise<number> {
  await connect(where);
  const { records } = await openExports();
  const found = await findExport(records, written);
  const run = (await cancelExport(records, found.id, userName(), new Date())) ?? found;
  const report = await reportOf(records, run);
  const { id, state, folder } = report;
  const isCancelled = state === 'cancelled';
  if (json) console.log(JSON.stringify(report, undefined, 2));
  else if (isCancelled)
    console.log(
      [
        `${pc.green('✓')} ${id} is cancelled: ${progressWords(report)}.`,
        clean(
          `What was copied stays in ${folderWords(report)}, https://drive.google.com/drive/folders/${folder}`,
        ),
        ...troubleLines(report, false),
      ].join('\n'),
    );
  else console.log(`${id} is over: ${stateWords(state)}. There is nothing to cancel.`);
  return isCancelled ? 0 : 1;
}
