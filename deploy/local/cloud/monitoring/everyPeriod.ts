import type { Parts } from './parts.ts';

/** Looking costs time as well: with a fast clock, one look is for several periods (real ms). */
const shortestSleep = 250;
/** A laptop may sleep, and a timer holds no more than 24 days (real ms). */
const longestSleep = 30_000;

/** Looks once in each period (ms) of the clock, while the settings say so. */
export function everyPeriod(
  { clock, settings }: Pick<Parts, 'clock' | 'settings'>,
  period: number,
  look: () => void,
) {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const sleep = () => {
    clearTimeout(timer);
    const speed = clock.speed();
    if (isClosed || speed === 0) return;
    const left = (period - (clock.now() % period)) / speed;
    timer = setTimeout(tick, Math.min(Math.max(left, shortestSleep), longestSleep)).unref();
  };
  const tick = () => {
    if (settings.isSampling) look();
    sleep();
  };
  sleep();
  return {
    /** Looks at once. */
    tick,
    /** Looks when the period ends by the clock as it is now. */
    sleep,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
