import pc from 'picocolors';
import { GuardRecord, guardRecordName, type Step } from '../../shared/budget/guardRecord.ts';
import { clean } from '../../shared/clean.ts';
import { BoardRecord, boardRecordName } from '../../shared/notices/board.ts';
import { noticeFileName } from '../../shared/notices/noticeFile.ts';
import { connect, type Where } from '../connect.ts';
import { ago } from '../duration.ts';
import { localTime } from '../job/localTime.ts';
import { row } from '../job/row.ts';
import { openGuard } from './open.ts';

export type ShowOptions = Where & { json?: true; all?: true };

/** So many of a list are shown unless all are asked for. */
const shown = 10;

/** @returns the exit code */
export async function show({ json, all, ...where }: ShowOptions): Promise<number> {
  await connect(where);
  const { records } = await openGuard();
  const record = (await records.read(guardRecordName, GuardRecord))?.value;
  const board = (await records.read(boardRecordName, BoardRecord))?.value;
  const { fileId, writtenAt, problem } = board ?? {};
  if (json) {
    const noticeFile = { fileId, writtenAt, problem };
    console.log(JSON.stringify({ ...(record ?? { level: 'open', history: [] }), noticeFile }, undefined, 2));
  } else {
    if (record) console.log(wordsOf(record, Date.now(), all ? Number.POSITIVE_INFINITY : shown));
    else console.log('open: nothing was heard of a budget yet.');
    if (problem)
      console.log(`\n${pc.yellow(`The notices are not in the study folder: ${clean(problem.words)}.`)}`);
    else if (writtenAt)
      console.log(
        `\nNotices are in the study folder, in “${noticeFileName}”, written ${ago(writtenAt, Date.now())}.`,
      );
  }
  return 0;
}

function wordsOf(record: GuardRecord, now: number, most: number): string {
  const { level, reason, since, period, budgets, estimate, released, steps, history, busy } = record;
  const isOver = Date.parse(period.end) <= now;
  const lines = [
    isOver
      ? `${pc.bold('open')}: its period is over, and nothing was heard of the new one. Before, it was at ${level}.`
      : `${pc.bold(level)} since ${localTime(since)}${reason ? `: ${clean(reason)}` : ''}`,
    row('period', `${localTime(period.start)} to ${localTime(period.end)}`),
  ];
  for (const [id, { name, amount, currency, billed }] of Object.entries(budgets)) {
    const said = billed
      ? `${billed.cost.toFixed(2)} billed, heard ${ago(billed.heardAt, now)}`
      : 'nothing was heard of it in this period';
    lines.push(row('budget', clean(`${name || id}: ${amount.toFixed(2)} ${currency}; ${said}`)));
  }
  if (estimate)
    lines.push(
      row('estimate', `${estimate.cost.toFixed(2)} ${estimate.currency}, of ${ago(estimate.asOf, now)}`),
    );
  if (released)
    lines.push(
      row(
        'released',
        clean(
          `by ${released.by} ${ago(released.at, now)}, from ${released.from} to ${released.to}: ${released.why}. ` +
            `It comes back at ${Math.floor(released.until * 1000) / 10} % of the budget`,
        ),
      ),
    );
  if (busy && Date.parse(busy.until) > now) lines.push(row('', 'it is at work just now'));
  if (steps.length > 0)
    lines.push('', pc.bold('What was done'), ...steps.flatMap((step) => stepLines(step, most)));
  const last = history.slice(-most).reverse();
  lines.push('', pc.bold('History'));
  for (const { at, level, reason, by } of last)
    lines.push(`  ${localTime(at)} ${level.padEnd(12)} ${clean(by ? `${by}: ${reason}` : reason)}`);
  if (history.length > last.length)
    lines.push(pc.dim(`  … and ${history.length - last.length} more; --all shows them`));
  return lines.join('\n');
}

function stepLines({ level, startedAt, doneAt, complete, results }: Step, most: number): string[] {
  const state = !startedAt ? 'not begun' : !doneAt ? 'begun' : complete === false ? 'done in part' : 'done';
  const some = results.slice(0, most);
  return [
    `  ${level.padEnd(12)} ${state}${doneAt ? ` at ${localTime(doneAt)}` : ''}`,
    ...some.map(({ what, outcome, words }) => clean(`    ${what}: ${outcome}${words ? `, ${words}` : ''}`)),
    ...(results.length > some.length
      ? [pc.dim(`    … and ${results.length - some.length} more; --all shows them`)]
      : []),
  ];
}
