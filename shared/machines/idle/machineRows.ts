import pLimit from 'p-limit';
import { BadRecord, type Records } from '../../storage/records.ts';
import { regionOf } from '../candidates.ts';
import { diskTypeOf } from '../machineTypes.ts';
import { priceOf } from '../prices.ts';
import { priceTable } from '../priceTable.ts';
import { type IdleMachine, whatOf } from './idleMachine.ts';
import { IdleRecord, idleRecordName } from './idleRecord.ts';
import type { IdleVms } from './idleVms.ts';
import { readStopLabel, stopLabel } from './stopLabel.ts';

/** A machine of the project, with what was decided of it and what it costs. */
export type MachineRow = {
  machine: IdleMachine;
  record: IdleRecord | undefined;
  /** US dollars; undefined if it is not known. */
  perHour: number | undefined;
};

const atATime = 16;

/** All that can be seen, in the order of their names; zones that did not answer; and records that cannot be read, in words. */
export async function machineRows(
  vms: Pick<IdleVms, 'list'>,
  records: Records,
): Promise<{ rows: MachineRow[]; unseen: string[]; unreadable: string[] }> {
  const { machines, unseen } = await vms.list();
  const unreadable: string[] = [];
  const limit = pLimit(atATime);
  const rows = await Promise.all(
    machines.map((machine) =>
      limit(async (): Promise<MachineRow> => {
        // One that cannot be read must not hide the others.
        const read = await records.read(idleRecordName(machine.id), IdleRecord).catch((error: unknown) => {
          if (!(error instanceof BadRecord)) throw error;
          unreadable.push(error.message);
          return undefined;
        });
        return { machine, record: read?.value, perHour: perHourOf(machine) };
      }),
    ),
  );
  rows.sort((one, other) => (whatOf(one.machine) < whatOf(other.machine) ? -1 : 1));
  return { rows, unseen, unreadable };
}

/** By the price table; its disks are counted as the usual kind. Undefined if anything of it is not known. */
function perHourOf({ machineType, zone, guestAccelerators, model, diskGb, localSsd }: IdleMachine) {
  const disk = { localSsd, diskType: diskTypeOf(machineType) };
  const where = { kind: 'vm' as const, region: regionOf(zone), zone, machineType };
  return priceOf({ ...where, ...disk, guestAccelerators, accelerator: '', model }, diskGb, priceTable())
    ?.perHour;
}

/** For programs. */
export function machineSummary({ machine, record, perHour }: MachineRow, now: number) {
  const { kind, zone, name, id, status, machineType, createdAt, startedAt, labels } = machine;
  const isUp = status === 'RUNNING';
  return {
    ...{ kind, zone, name, id, status, machineType, createdAt, startedAt, labels },
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

/** A person may have set the label to a later time. */
export function stopOf({ labels }: IdleMachine, { do: act, stopAt }: IdleRecord): string | undefined {
  if (act === 'keep' || !stopAt) return undefined;
  return new Date(Math.max(Date.parse(stopAt), readStopLabel(labels[stopLabel]) ?? 0)).toISOString();
}
