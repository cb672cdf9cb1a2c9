/**
 * Callers that arrive while a run is going on share one next run, which begins after all of them arrived. So each
 * caller sees a run that began after its call, and a thousand callers at once cost two runs.
 */
export function coalesce(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
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
