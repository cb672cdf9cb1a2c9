import { AsyncLocalStorage } from 'node:async_hooks';

export type Cost = { units: number; requests: number };

const meter = new AsyncLocalStorage<(units: number) => void>();

/**
 * Does `work`, and tells what its own requests to Drive cost, however many others run in the process. Every attempt of
 * a request counts. What is metered inside `work` counts there and here.
 */
export async function metered<T>(work: () => Promise<T>): Promise<{ value: T } & Cost> {
  const cost: Cost = { units: 0, requests: 0 };
  const outer = meter.getStore();
  const add = (units: number) => {
    cost.units += units;
    cost.requests += 1;
    outer?.(units);
  };
  const value = await meter.run(add, work);
  return { value, ...cost };
}

/** A request leaves. */
export function countRequest(units: number): void {
  meter.getStore()?.(units);
}
