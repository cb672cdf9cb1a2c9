import type { Machines } from './machines.ts';
import type { Stoppable } from './stopAll.ts';

/**
 * A TPU of a queued resource cannot be stopped, only removed (https://cloud.google.com/tpu/docs/queued-resources). So it is
 * done only with those of jobs, whose checkpoints and results are in a bucket. One that is still waited for goes as well.
 */
export const tpusOfJobs = (tpus: Machines, lab: string): Stoppable => ({
  listAll: () => tpus.list(lab),
  runs: ({ status }) => ['WAITING', 'CREATING', 'READY'].includes(status),
  async stop(zone, name) {
    const { gone: stopped, failure } = await tpus.remove(zone, name);
    return { stopped, ...(failure ? { failure } : {}) };
  },
});
