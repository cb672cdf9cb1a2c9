import { GoogleError } from '../googleError.ts';
import type { PubSubService } from '../pubsub/pubsub.ts';
import type { Context } from '../service.ts';
import type { Budget } from './budget.ts';
import type { Clock } from './clock.ts';
import type { Meter } from './meter.ts';
import { notificationOf } from './notification.ts';
import type { Settings } from './settings.ts';
import type { Letter, Tables } from './tables.ts';

export type Notifier = {
  /** Something may be due earlier than was thought. */
  changed(): void;
  /** The budget with the time of its next notification. */
  scheduled(budget: Budget): Budget;
  /** Counts and sends what is due by now, each at its own moment. */
  catchUp(): void;
  /** Lets time pass at once, and sends what was due meanwhile, each at its own moment. */
  advance(ms: number): void;
  close(): void;
};

type NotifierOptions = {
  context: Context;
  tables: Tables;
  settings: Settings;
  clock: Clock;
  meter: Meter;
  publish: PubSubService['publish'];
  random: () => number;
  /** A number from a range of seconds, in milliseconds. */
  draw: (range: [number, number]) => number;
};

/** A laptop may sleep: nobody relies on a longer timer (ms). */
const longestSleep = 30_000;

/** Sends what budgets have to say: at intervals that depend on nothing, late, sometimes twice, sometimes overtaken. */
export function createNotifier(options: NotifierOptions): Notifier {
  const { context, tables, settings, clock, meter, publish, random, draw } = options;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const next = () => {
    const times = [tables.budgets.next(), tables.letters.next()].filter((time) => time !== undefined);
    return Math.min(meter.next(), ...times);
  };
  const scheduled = (budget: Budget, now = clock.now()): Budget => {
    const { nextAt: _, ...rest } = budget;
    return budget.notificationsRule?.pubsubTopic ? { ...rest, nextAt: now + draw(settings.every) } : rest;
  };

  /** One moment: what ran is counted, budgets that are due write, and what is due leaves. */
  const tick = (now: number) =>
    context.store.transaction(() => {
      if (meter.next() <= now) meter.look(now);
      const costs = tables.costs.all();
      for (const budget of tables.budgets.all()) {
        if (budget.nextAt === undefined || budget.nextAt > now) continue;
        const letter = notificationOf(budget, costs, now);
        for (let copy = random() < settings.doubled ? 2 : 1; copy > 0; copy--)
          tables.letters.send(letter, now + (random() < settings.overtaken ? draw(settings.delay) : 0));
        tables.budgets.put(scheduled(budget, now));
      }
      for (const letter of tables.letters.take(now)) deliver(letter);
    });
  const deliver = ({ topic, data, attributes }: Letter) => {
    try {
      publish(topic, [{ data: Buffer.from(data), attributes }]);
    } catch (error) {
      // Google tells nobody either that the topic is gone.
      if (!(error instanceof GoogleError)) throw error;
    }
  };
  const catchUp = (until: number) => {
    for (let time = next(); time <= until; time = next()) tick(time);
  };
  const sleep = () => {
    clearTimeout(timer);
    if (isClosed) return;
    timer = setTimeout(
      () => {
        catchUp(clock.now());
        sleep();
      },
      Math.min(clock.until(next()), longestSleep),
    ).unref();
  };
  // What nobody was there for is not made up for.
  for (const budget of tables.budgets.all()) tables.budgets.put(scheduled(budget));
  sleep();

  return {
    changed: sleep,
    scheduled: (budget) => scheduled(budget),
    catchUp: () => catchUp(clock.now()),
    advance(ms) {
      const until = clock.now() + ms;
      catchUp(until);
      meter.look(until);
      clock.set({ now: until });
      sleep();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
