/**
 * Callers that arrive while a run is going on share one next run, which begins after all of them arrived. So each
 * caller sees a run that began after its call, and a thousand callers at once cost two runs.
 */
export function coalesce<T>(run: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const start = (): Promise<T> => {
    next = undefined;
    current = run().finally(() => {
      current = undefined;
    });
    return current;
  };
  return () => {
    // `next` first: in the moment between two runs none is current, and the next is about to start.
    if (!next) {
      if (!current) return start();
      next = current.then(start, start);
    }
    return next;
  };
}

/** The same for each key by itself. Only keys that are being asked for are kept. */
export function coalesceBy<T>(run: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const calls = new Map<string, { call: () => Promise<T>; callers: number }>();
  return async (key) => {
    const entry = calls.get(key) ?? { call: coalesce(() => run(key)), callers: 0 };
    calls.set(key, entry);
    entry.callers++;
    try {
      return await entry.call();
    } finally {
      entry.callers--;
      if (entry.callers === 0) calls.delete(key);
    }
  };
}
