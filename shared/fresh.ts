import { coalesceBy } from './coalesce.ts';

export type Fresh<T> = {
  read(key: string): Promise<T>;
  forget(): void;
};

const mostKeys = 10_000;

/** What was looked up a moment ago is not looked up again; nor is it by two at a time. A failure is not kept. */
export function fresh<T>(
  lookUp: (key: string) => Promise<T>,
  { lifetime, now }: { lifetime: number; now: () => number },
): Fresh<T> {
  let known = new Map<string, { value: T; until: number }>();
  const read = coalesceBy(async (key) => {
    const hit = known.get(key);
    if (hit && hit.until > now()) return hit.value;
    const value = await lookUp(key);
    if (known.size >= mostKeys) known.clear();
    known.set(key, { value, until: now() + lifetime });
    return value;
  });
  return {
    read,
    forget() {
      known = new Map();
    },
  };
}
