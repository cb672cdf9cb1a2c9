import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { clients } from '../../shared/clients.ts';
import { whatOf } from '../../shared/machines/idle/idleMachine.ts';
import { hoursUp, isUp, perHourOf, whyKept } from '../../shared/machines/idle/tellOfTpus.ts';
import type { Machine } from '../../shared/machines/machines.ts';
import { dollars } from '../../shared/machines/prices.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { protectionOf } from '../../shared/machines/protection.ts';
import { tpuNodes } from '../../shared/machines/tpuNodes.ts';
import { durationOf } from '../duration.ts';

/** TPUs that somebody has made by hand, and the zones that did not answer. */
export async function tpusByHand(project: string): Promise<{ tpus: Machine[]; unseen: string[] }> {
  const { machines, unseen } = await tpuNodes(project, await clients.tpu()).listAll();
  return { tpus: machines.filter(isUp), unseen: unseen.map((zone) => `${zone} (TPUs)`) };
}

export function tpuCells(tpu: Machine, now: number): string[] {
  const perHour = perHourOf(tpu, priceTable());
  return [
    clean(whatOf(tpu)),
    pc.green(tpu.status),
    durationOf(hoursUp(tpu, now) * 3_600_000),
    perHour === undefined ? 'unknown' : dollars(perHour),
    clean(`stays: ${protectionOf(tpu, now) ?? whyKept}`),
  ];
}

export function tpuSummary(tpu: Machine, now: number) {
  const { zone, name, status, createdAt, startedAt, labels, hardware } = tpu;
  return {
    ...{ kind: 'tpu', zone, name, status, machineType: hardware?.machineType, createdAt, startedAt, labels },
    perHour: perHourOf(tpu, priceTable()) ?? null,
    upSeconds: Math.round(hoursUp(tpu, now) * 3600),
    decision: { do: 'keep', why: protectionOf(tpu, now) ?? whyKept },
  };
}
