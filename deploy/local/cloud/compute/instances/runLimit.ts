import type { Instance } from './instance.ts';

/** When a machine that has begun to run ends by itself. https://cloud.google.com/compute/docs/instances/limit-vm-runtime */
export function endOf({ body: { scheduling } }: Instance, started: string): string | undefined {
  const { maxRunDuration, terminationTime } = scheduling;
  if (terminationTime) return new Date(terminationTime).toISOString();
  if (!maxRunDuration) return undefined;
  return new Date(Date.parse(started) + maxRunDuration.seconds * 1000).toISOString();
}

/** A timer holds no more than 24 days, a clock may be set, and a laptop may sleep (ms). */
const longestSleep = 30_000;

/** Does `work` when this time has come. @returns what takes that back */
export function whenItIs(time: string, work: () => void): () => void {
  let timer: NodeJS.Timeout;
  const look = () => {
    const left = Date.parse(time) - Date.now();
    timer = left > 0 ? setTimeout(look, Math.min(left, longestSleep)) : setTimeout(work);
    timer.unref();
  };
  look();
  return () => clearTimeout(timer);
}
