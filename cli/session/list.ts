import Table from 'cli-table3';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { dollars } from '../../shared/machines/prices.ts';
import { listSessions } from '../../shared/sessions/listSessions.ts';
import { type SessionSummary, summaryOf } from '../../shared/sessions/summary.ts';
import { connect, type Where } from '../connect.ts';
import { durationOf } from '../duration.ts';
import { tellUnreadable } from '../tellUnreadable.ts';
import { openSessions } from './open.ts';
import { stateWords } from './stateWords.ts';

export type ListOptions = Where & { json?: true; all?: true };

/** @returns the exit code: 1 if not all could be read */
export async function list({ json, all, ...where }: ListOptions): Promise<number> {
  await connect(where);
  const { records, prices } = await openSessions();
  const { sessions, unreadable } = await listSessions(records, { all: all ?? false });
  const exitCode = tellUnreadable(unreadable);
  const rows = sessions.map((record) => summaryOf(record, prices));
  if (json) console.log(JSON.stringify(rows, undefined, 2));
  else if (rows.length > 0) console.log(tableOf(rows, Date.now()));
  else if (exitCode === 0) console.log('There is no session. npx gazeline session start NAME makes one.');
  return exitCode;
}

function tableOf(rows: SessionSummary[], now: number): string {
  const table = new Table({
    head: ['session', 'owner', 'state', 'machine', 'cost', ''],
    style: { head: [], border: [], compact: true },
  });
  for (const one of rows) {
    const { name, owner, state, reason, machineType, zone, cost, endsAt, link } = one;
    const isUp = state === 'running';
    const amount = isUp ? cost.perHour : cost.perMonthStopped;
    table.push([
      name,
      clean(owner),
      stateWords(state),
      machineType ? `${machineType} in ${zone}` : '',
      amount === null ? (machineType ? 'unknown' : '') : `${dollars(amount)} ${isUp ? 'an hour' : 'a month'}`,
      isUp
        ? `${link ?? ''}${endsAt ? pc.dim(` ends in ${durationOf(Date.parse(endsAt) - now)}`) : ''}`
        : pc.dim(shortened(clean(reason ?? ''))),
    ]);
  }
  return table.toString();
}

const shortened = (text: string) => (text.length > 50 ? `${text.slice(0, 49)}…` : text);
