/** What a budget counts over. https://cloud.google.com/billing/docs/how-to/budgets#budget-scope */
export const periodKinds = ['month', 'quarter', 'year'] as const;
export type PeriodKind = (typeof periodKinds)[number];

/** ISO times; the end belongs to the next one. */
export type Period = { start: string; end: string };

const hour = 3_600_000;

/**
 * The period that a moment is in. Google counts by days of the US Pacific coast, so a month begins at 07:00 or 08:00 UTC,
 * and its two edges may lie on different sides of a change of the clocks.
 */
export function periodAt(at: number, kind: PeriodKind): Period {
  const { year, month } = pacificDay(at);
  const first = firstMonthOf(month, kind);
  const iso = (month: number) => new Date(pacificMidnight(year, month, 1)).toISOString();
  return { start: iso(first), end: iso(first + monthsOf[kind]) };
}

/**
 * The period that begins at this moment, or half a day off at most: Google's own example of a notification begins at
 * midnight UTC (https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification_format).
 * @returns undefined if none does
 */
export function periodBeginning(at: number, kind: PeriodKind): Period | undefined {
  const { month, day } = pacificDay(at + 12 * hour);
  return day === 1 && firstMonthOf(month, kind) === month ? periodAt(at + 12 * hour, kind) : undefined;
}

/** A day of such a period: its name, as `2026-11-26`, and its edges. It has 23 or 25 hours where the clocks change. */
export function dayAt(at: number): { name: string; start: number; end: number } {
  const { year, month, day } = pacificDay(at);
  const name = [year, pad(month), pad(day)].join('-');
  return { name, start: pacificMidnight(year, month, day), end: pacificMidnight(year, month, day + 1) };
}
const pad = (number: number) => String(number).padStart(2, '0');

const monthsOf: { [kind in PeriodKind]: number } = { month: 1, quarter: 3, year: 12 };
const firstMonthOf = (month: number, kind: PeriodKind) => month - ((month - 1) % monthsOf[kind]);

const format = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
});

function pacificDay(at: number): { year: number; month: number; day: number; hour: number } {
  const parts = Object.fromEntries(
    format.formatToParts(at).map(({ type, value }) => [type, Number(value)] as const),
  );
  const { year = 0, month = 0, day = 0, hour = 0 } = parts;
  return { year, month, day, hour };
}

/** Months past December are of the next year. The clocks change at two, so midnight is there every day, and once. */
function pacificMidnight(year: number, month: number, day: number): number {
  const inWinter = Date.UTC(year, month - 1, day, 8);
  return inWinter - pacificDay(inWinter).hour * hour;
}
