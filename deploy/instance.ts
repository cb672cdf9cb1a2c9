/**
 * How Node is to use the memory of an instance (MiB), in the cloud and on a laptop.
 *
 * Without these options it sizes its heap by the machine: on a large one garbage lay about in 250 MB before it was
 * collected, with 32 MB in use; within 512 MiB the young generation would have 3.5, and be collected all the time.
 * https://nodejs.org/api/cli.html#--max-semi-space-sizesize-in-mib
 */
export const nodeOptionsFor = (memory: number) => [
  `--max-old-space-size=${memory / 2}`,
  '--max-semi-space-size=16',
];
