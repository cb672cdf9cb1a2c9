import { AsyncLocalStorage } from 'node:async_hooks';

export type Cost = { units: number; requests: number };

const meter = new AsyncLocalStorage<(units: number) => void>();

/**
 * Does `work`, and adds to `cost` what its own requests to Drive cost, however many others run in the process, and also
 * if it throws. Every attempt of a request counts. What is metered inside `work` counts there and here.
 */
export async function metered<T>(cost: Cost, work: () => Promise<T>): Promise<T> {
  const outer = meter.getStore();
  const add = (units: number) => {
    cost.units += units;
    cost.requests += 1;
    outer?.(units);
  };
  return meter.run(add, work);
}

/** A request leaves. */
export function countRequest(units: number): void {
  meter.getStore()?.(units);
}
