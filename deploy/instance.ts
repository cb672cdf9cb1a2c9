/**
 * What an instance of a function is, in the cloud and on a laptop.
 *
 * All sizes in MiB. Without the options Node sizes its heap by the machine: on a large one garbage lay about in 250 MB
 * before it was collected, with 32 MB in use; within 512 MiB the young generation would have 3.5, and be collected all
 * the time.
 * Beside the heap there are two transfers' slices (`functions/index.ts`) and about 100 for Node itself.
 * https://nodejs.org/api/cli.html#--max-semi-space-sizesize-in-mib
 */
export const instance = {
  memory: 512,
  nodeOptions: ['--max-old-space-size=256', '--max-semi-space-size=16'],
};
