import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The peak resident memory of each process, megabytes, while `work` runs; NaN where there is no `/proc`.
 * @param pause between two looks, milliseconds. The kernel keeps the peak, so only what came after the last look at a
 *   process that ends is lost; and each look takes a while from the thread that is the local cloud
 */
export async function peakMemory<T>(
  pids: () => (number | undefined)[],
  work: Promise<T>,
  pause: number,
): Promise<{ result: T; megabytes: number }> {
  const peaks = new Map<number, number>();
  let ended = false;
  const look = async () => {
    for (const pid of new Set(pids())) {
      const peak = pid === undefined ? undefined : await peakOf(pid);
      if (pid !== undefined && peak) peaks.set(pid, peak);
    }
  };
  const looking = (async () => {
    for (; !ended; await sleep(pause)) await look();
  })();
  try {
    const result = await work;
    await look();
    return { result, megabytes: peaks.size > 0 ? Math.max(...peaks.values()) : Number.NaN };
  } finally {
    ended = true;
    await looking;
  }
}

/** Lets a process's peak begin again at what it has now. https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => {});
}

async function peakOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(status) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}
