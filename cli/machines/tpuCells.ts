import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { jobOf, whatOf } from '../../shared/machines/idle/idleMachine.ts';
import { hoursUp, perHourOf } from '../../shared/machines/idle/tellOfTpus.ts';
import { whyTpuStays } from '../../shared/machines/idle/tpuRows.ts';
import type { Machine } from '../../shared/machines/machines.ts';
import { dollars } from '../../shared/machines/prices.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { durationOf } from '../duration.ts';

export function tpuCells(tpu: Machine, now: number): string[] {
  const perHour = perHourOf(tpu, priceTable());
  const job = jobOf(tpu);
  const isUp = tpu.status === 'READY';
  return [
    clean(whatOf(tpu)),
    isUp ? pc.green(tpu.status) : pc.dim(tpu.status),
    isUp ? durationOf(hoursUp(tpu, now) * 3_600_000) : '',
    isUp ? (perHour === undefined ? 'unknown' : dollars(perHour)) : '',
    clean(job !== undefined ? `works on the job ${job}` : isUp ? `stays: ${whyTpuStays(tpu, now)}` : ''),
  ];
}
