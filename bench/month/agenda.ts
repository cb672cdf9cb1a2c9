import { draw } from '../placement/draw.ts';
import { minute } from '../placement/world.ts';

export const hour = 60 * minute;
export const day = 24 * hour;

/** Work that is alive: to stop its machine is to kill it. */
export type Use = {
  from: number;
  to: number;
  /** `notebook`, `terminal`: somebody is there; the others go on without anybody; `mining` is nobody’s work. */
  what: 'notebook' | 'terminal' | 'training' | 'download' | 'mining';
};

/** A machine that somebody has made by hand, and what they do with it in a month. */
export type Plan = {
  name: string;
  zone: string;
  machineType: string;
  accelerators: { type: string; count: number }[];
  diskGb: number;
  isNotebook: boolean;
  created: number;
  uses: Use[];
  /** When somebody switches it off, as they should. */
  offs: number[];
  /** SSH connections, which stay when who opened them has gone. */
  sessions: { from: number; to: number }[];
};

/** The share of the evenings on which a machine is left on; those before a free day, when everybody thinks of something else. */
export const forgotten = { evening: 0.5, friday: 0.8 };

type Person = Pick<Plan, 'name' | 'machineType' | 'diskGb'> & {
  accelerators?: Plan['accelerators'];
  zone?: string;
  tool: 'notebook' | 'terminal';
  /** The share of working days on which they come. */
  comes: number;
  /** The share of the days that end with something to be computed over night, in hours, after a download or without one. */
  nights?: { share: number; hours: [number, number]; download?: [number, number] };
};

const gpu = (type: string) => [{ type, count: 1 }];
const people: Person[] = [
  { name: 'ana', machineType: 'e2-standard-8', diskGb: 50, tool: 'notebook', comes: 0.9 },
  {
    name: 'bo',
    machineType: 'g2-standard-8',
    accelerators: gpu('nvidia-l4'),
    diskGb: 100,
    tool: 'notebook',
    comes: 0.7,
    nights: { share: 0.3, hours: [4, 14] },
  },
  {
    name: 'chen',
    machineType: 'a2-highgpu-1g',
    accelerators: gpu('nvidia-tesla-a100'),
    diskGb: 100,
    tool: 'notebook',
    comes: 0.35,
    nights: { share: 0.6, hours: [5, 20], download: [2, 8] },
  },
  {
    name: 'dana',
    machineType: 'n1-standard-8',
    accelerators: gpu('nvidia-tesla-t4'),
    diskGb: 100,
    tool: 'terminal',
    comes: 0.8,
    nights: { share: 0.2, hours: [3, 10] },
  },
  { name: 'eli', machineType: 'e2-standard-16', diskGb: 50, tool: 'notebook', comes: 0.15 },
  { name: 'fay', machineType: 'e2-standard-4', diskGb: 50, tool: 'terminal', comes: 0.6 },
];

export const drawn = `\
Drawn from the seed: six people, each with a machine made by hand. On the days that they come it is from 9:00–10:30 to
16:30–19:00, with a lunch of 30 to 120 minutes from noon on and, on two days of five, a meeting of 30 to 120. One evening in
two the machine stays on, four Fridays in five, and always when something computes over night; an SSH connection stays open
as long as the machine. Somebody at a notebook computes for a minute once in six, on average, and in a shell once in eight. A
download needs a third of a processor; a training runs for up to 20 hours, and nobody is there when it ends.`;

/** What the people of a lab do with their machines. @param burst whether somebody who has found a key takes 8 × A100 */
export function agendaOf(seed: number, start: number, end: number, burst: boolean): Plan[] {
  const plans = people.map((person) => planOf(person, seed, start, end));
  return burst ? [...plans, burstOf(seed, start, end)] : plans;
}

function planOf(person: Person, seed: number, start: number, end: number): Plan {
  const {
    name,
    machineType,
    diskGb,
    accelerators = [],
    zone = 'us-central1-a',
    tool,
    comes,
    nights,
  } = person;
  const isNotebook = tool === 'notebook';
  const common = { name, zone, machineType, accelerators, diskGb, isNotebook, created: start };
  const plan: Plan = { ...common, uses: [], offs: [], sessions: [] };
  let busyUntil = 0;
  for (let midnight = start - (start % day); midnight < end; midnight += day) {
    const weekday = new Date(midnight).getUTCDay();
    const of = (what: string) => draw(seed, name, midnight, what);
    const between = (what: string, [least, most]: [number, number]) => least + of(what) * (most - least);
    if (weekday === 0 || weekday === 6 || of('comes') > comes) continue;
    const arrives = midnight + between('arrives', [9, 10.5]) * hour;
    const leaves = midnight + between('leaves', [16.5, 19]) * hour;
    // What runs over night may run into the next day; they look at it and wait.
    if (busyUntil > arrives || arrives < start) continue;
    const lunch = midnight + between('lunch', [12, 13]) * hour;
    const meeting = midnight + between('meeting', [14.5, 15.5]) * hour;
    const breaks = [
      { from: lunch, to: lunch + between('eats', [30, 120]) * minute },
      ...(of('meets') < 0.4 ? [{ from: meeting, to: meeting + between('talks', [30, 120]) * minute }] : []),
    ];
    let from = arrives;
    for (const pause of [...breaks, { from: leaves, to: leaves }]) {
      if (pause.from > from) plan.uses.push({ from, to: pause.from, what: tool });
      from = Math.max(from, pause.to);
    }
    const last = Math.max(leaves, from);
    busyUntil = last;
    if (nights && of('night') < nights.share) {
      if (nights.download) {
        busyUntil += between('download', nights.download) * hour;
        plan.uses.push({ from: last, to: busyUntil, what: 'download' });
      }
      const begun = busyUntil;
      busyUntil += between('hours', nights.hours) * hour;
      plan.uses.push({ from: begun, to: busyUntil, what: 'training' });
    } else if (of('forgets') >= (weekday === 5 ? forgotten.friday : forgotten.evening)) plan.offs.push(last);
    if (!isNotebook) plan.sessions.push({ from: arrives, to: Number.POSITIVE_INFINITY });
  }
  return plan;
}

/** In a night of the second half, when the budget is partly spent; nobody ends it. */
function burstOf(seed: number, start: number, end: number): Plan {
  const from = start + (0.5 + 0.35 * draw(seed, 'burst')) * (end - start);
  return {
    name: 'unknown',
    zone: 'us-central1-a',
    machineType: 'a2-highgpu-8g',
    accelerators: [{ type: 'nvidia-tesla-a100', count: 8 }],
    diskGb: 100,
    isNotebook: false,
    created: from,
    uses: [{ from, to: Number.POSITIVE_INFINITY, what: 'mining' }],
    offs: [],
    sessions: [],
  };
}
