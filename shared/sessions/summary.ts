import * as z from 'zod';
import type { Candidate } from '../machines/candidate.ts';
import { regionOf } from '../machines/candidates.ts';
import { diskTypeOf } from '../machines/machineTypes.ts';
import { dollars, hoursOfMonth, priceOfDisk } from '../machines/prices.ts';
import type { PriceTable } from '../machines/priceTable.ts';
import { diskGbOf } from './candidates.ts';
import type { Session } from './session.ts';
import { type SessionRecord, sessionStates } from './sessionRecord.ts';

const time = z.iso.datetime();
const money = z.number().nullable();

/** What programs are told of a session. Prices are US dollars by list price; null is not known, and never free. */
export const SessionSummary = z.object({
  name: z.string(),
  owner: z.string(),
  state: z.enum(sessionStates),
  reason: z.string().optional().describe('Why it is in this state, in words.'),
  createdAt: time,
  startedAt: time.optional(),
  endsAt: time.optional().describe('It is stopped then.'),
  stoppedAt: time.optional(),
  link: z.string().optional().describe('Where its owner opens Jupyter, signed in to Google.'),
  accelerator: z.string().optional(),
  machineType: z.string().optional(),
  zone: z.string().optional(),
  image: z.string(),
  diskGb: z.int().describe('Of both its disks; they are kept when it is stopped.'),
  repository: z.string().optional(),
  ref: z.string(),
  idleMinutes: z.int(),
  hours: z.number(),
  cost: z.object({
    perHour: money.describe('While it runs, its disks included.'),
    perMonthStopped: money.describe('Of its disks.'),
    pricesOf: z.string().describe('The day of the price table.'),
  }),
  tries: z
    .array(z.object({ at: time, zone: z.string(), machineType: z.string(), reason: z.string() }))
    .describe('Where there was no machine.'),
});
export type SessionSummary = z.infer<typeof SessionSummary>;

export function summaryOf(record: SessionRecord, table: PriceTable): SessionSummary {
  const { session, state, asked, tries } = record;
  const { name, owner, createdAt, reason, startedAt, endsAt, stoppedAt, link } = record;
  const candidate = record.candidate ?? asked?.candidate;
  const isUp = state === 'running';
  return {
    ...{ name, owner, state, createdAt },
    ...(reason === undefined ? {} : { reason }),
    ...(startedAt ? { startedAt } : {}),
    ...(endsAt && isUp ? { endsAt } : {}),
    ...(stoppedAt && state === 'stopped' ? { stoppedAt } : {}),
    ...(link && isUp ? { link } : {}),
    ...(candidate
      ? { accelerator: candidate.accelerator, machineType: candidate.machineType, zone: candidate.zone }
      : {}),
    image: session.image,
    diskGb: diskGbOf(session),
    ...(session.repository ? { repository: session.repository } : {}),
    ref: session.ref,
    idleMinutes: session.idleMinutes,
    hours: session.hours,
    cost: {
      perHour: candidate?.price?.perHour ?? null,
      perMonthStopped: (candidate && perMonthStopped(session, candidate, table)) ?? null,
      pricesOf: table.asOf,
    },
    tries: tries.map(({ at, zone, machineType, words }) => ({ at, zone, machineType, reason: words })),
  };
}

/** US dollars a month, as Google bills it, for disks whose session is stopped; undefined if that is not known. */
export function perMonthStopped(
  session: Session,
  { zone, machineType }: Pick<Candidate, 'zone' | 'machineType'>,
  table: PriceTable,
): number | undefined {
  const disk = { type: diskTypeOf(machineType), region: regionOf(zone), sizeGb: diskGbOf(session) };
  const perHour = priceOfDisk(disk, table);
  return perHour === undefined ? undefined : Number((perHour * hoursOfMonth).toFixed(2));
}

/** For a person who is about to start one, or has stopped one. */
export const stoppedWords = (perMonth: number | undefined | null): string =>
  perMonth === undefined || perMonth === null
    ? 'what its disks cost while it is stopped is not known'
    : `while it is stopped its disks cost ${dollars(perMonth)} a month`;

/** What it may cost, in a sentence. */
export function costWords(session: Session, candidate: Candidate, table: PriceTable): string {
  const { accelerator, machineType, zone, price } = candidate;
  const what = `${accelerator} (${machineType}) in ${zone}, with disks of ${diskGbOf(session)} GB`;
  const stopped = stoppedWords(perMonthStopped(session, candidate, table));
  const asOf = `(list prices of ${table.asOf})`;
  return price
    ? `${dollars(price.perHour)} an hour for ${what}: at most ${dollars(price.perHour * session.hours)} for ${session.hours} hours; ${stopped} ${asOf}.`
    : `What ${what} costs an hour is not known; ${stopped} ${asOf}.`;
}
