import { readFileSync } from 'node:fs';
import { processes } from './session.ts';

/** What the processes of a machine have used by now. */
export type Usage = {
  /** It goes back when a process ends that nobody waited for. */
  cpuSeconds: number;
  /** Bytes from and to real disks, by process. What has ended is not in it any more. */
  disk: Map<number, { read: number; written: number }>;
};

/** By session, those of them that have processes. */
export function usageOf(sessions: number[]): Map<number, Usage> {
  const usages = new Map<number, Usage>();
  if (sessions.length === 0) return usages;
  for (const { pid, session, cpuSeconds } of processes()) {
    if (!sessions.includes(session)) continue;
    const usage = usages.get(session) ?? { cpuSeconds: 0, disk: new Map() };
    usages.set(session, usage);
    usage.cpuSeconds += cpuSeconds;
    const io = ioOf(pid);
    if (io) usage.disk.set(pid, io);
  }
  return usages;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_io.5.html */
function ioOf(pid: number): { read: number; written: number } | undefined {
  try {
    const io = readFileSync(`/proc/${pid}/io`, 'utf8');
    const value = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0);
    return { read: value('read_bytes'), written: value('write_bytes') };
  } catch {
    // It has ended since, or this is a Mac, which has none.
    return undefined;
  }
}

/** What was used between two looks. */
export function usedBetween(
  before: Usage,
  after: Usage,
): { cpuSeconds: number; read: number; written: number } {
  let read = 0;
  let written = 0;
  for (const [pid, disk] of after.disk) {
    const earlier = before.disk.get(pid) ?? { read: 0, written: 0 };
    read += Math.max(0, disk.read - earlier.read);
    written += Math.max(0, disk.written - earlier.written);
  }
  return { cpuSeconds: Math.max(0, after.cpuSeconds - before.cpuSeconds), read, written };
}
