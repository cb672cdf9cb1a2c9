import Table from 'cli-table3';
import pLimit from 'p-limit';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { regionOf } from '../../shared/machines/candidates.ts';
import { type IdleMachine, jobOf, whatOf } from '../../shared/machines/idle/idleMachine.ts';
import { IdleRecord, idleRecordName } from '../../shared/machines/idle/idleRecord.ts';
import { idleVms } from '../../shared/machines/idle/idleVms.ts';
import { readStopLabel, stopLabel } from '../../shared/machines/idle/stopLabel.ts';
import type { Machine } from '../../shared/machines/machines.ts';
import { diskTypeOf } from '../../shared/machines/machineTypes.ts';
import { dollars, priceOf } from '../../shared/machines/prices.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { connect, type Where } from '../connect.ts';
import { ago, durationOf } from '../duration.ts';
import { tpuCells, tpuSummary, tpusByHand } from './tpuRows.ts';

export type ListOptions = Where & { json?: true };

type Row = { machine: IdleMachine; record: IdleRecord | undefined; perHour: number | undefined };

const atATime = 16;

/**
 * All machines of the project, what each costs, and what was decided of it.
 * @returns the exit code: 1 if not all could be seen
 */
export async function list({ json, ...where }: ListOptions): Promise<number> {
  await connect(where);
  const { project, stateBucket, idleStop } = config();
  const [compute, storage] = await Promise.all([clients.compute(), clients.storage()]);
  const records = recordsIn(storage, stateBucket);
  const [{ machines, unseen: unseenVms }, { tpus, unseen: unseenTpus }] = await Promise.all([
    idleVms(project, compute).list(),
    tpusByHand(project),
  ]);
  const unseen = [...unseenVms, ...unseenTpus];
  const limit = pLimit(atATime);
  const rows = await Promise.all(
    machines.map((machine) =>
      limit(async (): Promise<Row> => {
        // One that cannot be read must not hide the others.
        const read = records.read(idleRecordName(machine.id), IdleRecord).catch((error: Error) => {
          console.error(pc.red(clean(error.message.slice(0, 500))));
          return undefined;
        });
        return { machine, record: (await read)?.value, perHour: perHourOf(machine) };
      }),
    ),
  );
  rows.sort((one, other) => (whatOf(one.machine) < whatOf(other.machine) ? -1 : 1));
  const now = Date.now();
  if (json)
    console.log(
      JSON.stringify(
        {
          machines: [...rows.map((row) => summaryOf(row, now)), ...tpus.map((tpu) => tpuSummary(tpu, now))],
          unseen,
        },
        undefined,
        2,
      ),
    );
  else if (rows.length + tpus.length > 0) console.log(tableOf(rows, tpus, now));
  else if (unseen.length === 0) console.log('There is no machine.');
  if (unseen.length > 0)
    console.error(
      pc.red(`These did not answer, and what is there is not known: ${clean(unseen.join(', '))}`),
    );
  if (!json && idleStop !== 'on')
    console.log(pc.dim(`Nothing is stopped: GAZELINE_IDLE_STOP is ${idleStop}.`));
  return unseen.length > 0 ? 1 : 0;
}

/** By the price table; its disks are counted as the usual kind. Undefined if anything of it is not known. */
function perHourOf({ machineType, zone, guestAccelerators, model, diskGb, localSsd }: IdleMachine) {
  const disk = { localSsd, diskType: diskTypeOf(machineType) };
  const where = { kind: 'vm' as const, region: regionOf(zone), zone, machineType };
  return priceOf({ ...where, ...disk, guestAccelerators, accelerator: '', model }, diskGb, priceTable())
    ?.perHour;
}

function summaryOf({ machine, record, perHour }: Row, now: number) {
  const { zone, name, id, status, machineType, createdAt, startedAt, labels } = machine;
  const isUp = status === 'RUNNING';
  return {
    ...{ zone, name, id, status, machineType, createdAt, startedAt, labels },
    perHour: perHour ?? null,
    ...(isUp && startedAt ? { upSeconds: Math.round((now - Date.parse(startedAt)) / 1000) } : {}),
    decision: record
      ? {
          do: record.do,
          reason: record.reason,
          why: record.why,
          since: record.decidedAt,
          ...(record.isRehearsal ? { isRehearsal: true } : {}),
          ...(stopOf(machine, record) ? { stopAt: stopOf(machine, record) } : {}),
          ...(record.outcome ? { outcome: record.outcome } : {}),
          evidence: record.evidence,
        }
      : null,
  };
}

function tableOf(rows: Row[], tpus: Machine[], now: number): string {
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

function wordsOf({ machine, record }: Row, now: number): string {
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

/** A person may have set the label to a later time. */
function stopOf({ labels }: IdleMachine, { do: act, stopAt }: IdleRecord): string | undefined {
  if (act === 'keep' || !stopAt) return undefined;
  return new Date(Math.max(Date.parse(stopAt), readStopLabel(labels[stopLabel]) ?? 0)).toISOString();
}
