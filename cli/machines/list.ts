import Table from 'cli-table3';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { jobOf, whatOf } from '../../shared/machines/idle/idleMachine.ts';
import { idleVms } from '../../shared/machines/idle/idleVms.ts';
import {
  type MachineRow,
  machineRows,
  machineSummary,
  stopOf,
} from '../../shared/machines/idle/machineRows.ts';
import { tpuRows, tpuSummary } from '../../shared/machines/idle/tpuRows.ts';
import type { Machine } from '../../shared/machines/machines.ts';
import { dollars } from '../../shared/machines/prices.ts';
import { tpuNodes } from '../../shared/machines/tpuNodes.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { connect, type Where } from '../connect.ts';
import { ago, durationOf } from '../duration.ts';
import { tpuCells } from './tpuCells.ts';

export type ListOptions = Where & { json?: true };

/**
 * All machines of the project, what each costs, and what was decided of it.
 * @returns the exit code: 1 if not all could be seen
 */
export async function list({ json, ...where }: ListOptions): Promise<number> {
  await connect(where);
  const { project, stateBucket, idleStop } = config();
  const [compute, tpu, storage] = await Promise.all([clients.compute(), clients.tpu(), clients.storage()]);
  const records = recordsIn(storage, stateBucket);
  const [{ rows, unseen: unseenVms, unreadable }, { tpus, unseen: unseenTpus }] = await Promise.all([
    machineRows(idleVms(project, compute), records),
    tpuRows(tpuNodes(project, tpu)),
  ]);
  const unseen = [...unseenVms, ...unseenTpus];
  for (const one of unreadable) console.error(pc.red(clean(one.slice(0, 500))));
  const now = Date.now();
  if (json) {
    const machines = [
      ...rows.map((row) => machineSummary(row, now)),
      ...tpus.map((tpu) => tpuSummary(tpu, now)),
    ];
    console.log(JSON.stringify({ machines, unseen }, undefined, 2));
  } else if (rows.length + tpus.length > 0) console.log(tableOf(rows, tpus, now));
  else if (unseen.length === 0) console.log('There is no machine.');
  if (unseen.length > 0)
    console.error(
      pc.red(`These did not answer, and what is there is not known: ${clean(unseen.join(', '))}`),
    );
  if (!json && idleStop !== 'on')
    console.log(pc.dim(`Nothing is stopped: GAZELINE_IDLE_STOP is ${idleStop}.`));
  return unseen.length > 0 ? 1 : 0;
}

function tableOf(rows: MachineRow[], tpus: Machine[], now: number): string {
  const table = new Table({
    head: ['machine', 'state', 'up', 'an hour', 'what becomes of it'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const { machine, perHour } = row;
    const { status, startedAt } = machine;
    const isUp = status === 'RUNNING';
    table.push([
      clean(whatOf(machine)),
      isUp ? pc.green(status) : pc.dim(status),
      isUp && startedAt ? durationOf(now - Date.parse(startedAt)) : '',
      !isUp ? pc.dim('its disks') : perHour === undefined ? 'unknown' : dollars(perHour),
      clean(wordsOf(row, now)),
    ]);
  }
  for (const tpu of tpus) table.push(tpuCells(tpu, now));
  return table.toString();
}

function wordsOf({ machine, record }: MachineRow, now: number): string {
  const job = jobOf(machine);
  if (job !== undefined) return `works on the job ${job}`;
  if (!record) return machine.status === 'RUNNING' ? 'not looked at yet' : '';
  const { do: act, why, outcome, decidedAt } = record;
  const stopAt = stopOf(machine, record);
  if (machine.status !== 'RUNNING')
    return outcome ? `${outcome.what} ${ago(outcome.at, now)}, because it was idle` : '';
  if (act === 'keep') return `stays: ${why} (${ago(decidedAt, now)})`;
  const failed = outcome?.what === 'failed' ? `; could not be stopped: ${outcome.words ?? ''}` : '';
  const left = stopAt === undefined ? 0 : Date.parse(stopAt) - now;
  return `idle, is stopped ${left > 0 ? `in ${durationOf(left)}` : 'at the next look'}: ${why}${failed}`;
}
