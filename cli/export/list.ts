import Table from 'cli-table3';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { listExports } from '../../shared/export/exportReport.ts';
import { connect, type Where } from '../connect.ts';
import { ago } from '../duration.ts';
import { tellUnreadable } from '../tellUnreadable.ts';
import { openExports } from './open.ts';
import { doneOf, folderWords, stateWords } from './words.ts';

export type ListOptions = Where & { json?: true; all?: true };

/** So many are shown unless all are asked for. */
const shown = 20;

/** @returns the exit code: 1 if not all could be read */
export async function list({ json, all, ...where }: ListOptions): Promise<number> {
  await connect(where);
  const { records } = await openExports();
  const { exports, unreadable } = await listExports(records);
  const exitCode = tellUnreadable(unreadable);
  const some = all ? exports : exports.slice(0, shown);
  if (json) {
    console.log(JSON.stringify(some, undefined, 2));
    return exitCode;
  }
  if (exports.length === 0) {
    if (exitCode === 0) console.log('There is no export yet. npx gazeline export PREFIX FOLDER starts one.');
    return exitCode;
  }
  const table = new Table({
    head: ['id', 'state', 'asked for', 'what', 'where', 'objects', ''],
    style: { head: [], border: [], compact: true },
  });
  const now = Date.now();
  for (const run of some)
    table.push([
      ...[run.id, stateWords(run.state), ago(run.requestedAt, now)],
      ...[clean(run.prefix), clean(folderWords(run)), `${doneOf(run)} of ${run.objects}`],
      pc.dim(shortened(clean(run.reason ?? ''))),
    ]);
  console.log(table.toString());
  if (some.length < exports.length)
    console.log(pc.dim(`… and ${exports.length - some.length} more; --all shows them`));
  return exitCode;
}

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
