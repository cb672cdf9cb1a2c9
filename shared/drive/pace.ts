export type Meter = { units: number; requests: number };
export async function metered<T>(work: () => Promise<T>, _meter: Meter): Promise<T> {
  return work();
}
