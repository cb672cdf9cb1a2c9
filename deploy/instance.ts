/**
 * How Node is to use the memory of an instance (MiB), in the cloud and on a laptop: the environment of its process.
 *
 * Without these options it sizes its heap by the machine: on a large one garbage lay about in 250 MB before it was
 * collected, with 32 MB in use; within 512 MiB the young generation would have 3.5, and be collected all the time.
 * https://nodejs.org/api/cli.html#--max-semi-space-sizesize-in-mib
 *
 * glibc gives each thread an arena of its own, of up to 64 MB, and the thread through which large files pass
 * (`shared/drive/passage.ts`) filled it with pieces of which few were in use. With one arena for all, the peak of
 * 2 GB went from 280 to 243 MB, in the same time. https://man7.org/linux/man-pages/man3/mallopt.3.html (M_ARENA_MAX)
 *
 * @param more options of Node
 */
export const environmentFor = (memory: number, more?: string) => ({
  NODE_OPTIONS: [
    `--max-old-space-size=${memory / 2}`,
    '--max-semi-space-size=8',
    ...(more ? [more] : []),
  ].join(' '),
  MALLOC_ARENA_MAX: '1',
});
