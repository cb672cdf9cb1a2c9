import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * The living processes of a session, without its leader. A process group would not do: `timeout` and shells with job
 * control put their children into groups of their own.
 */
export function membersOf(leader: number): number[] {
  return processes()
    .filter(({ pid, session, state }) => session === leader && pid !== leader && !state.startsWith('Z'))
    .map(({ pid }) => pid);
}

/** Sends a signal to each of them; those that are gone already do not matter. */
export function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

type Process = {
  pid: number;
  session: number;
  state: string;
  /** Processor time of its own, and of its children that have ended and were waited for. */
  cpuSeconds: number;
};

/** Of clock ticks Linux has a hundred a second, on every architecture that Node runs on. */
const ticks = 100;

export function processes(): Process[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return fromPs();
  }
  return names.flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // The name of the program stands in parentheses and may hold any character.
      // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const [state = '', , , session] = fields;
      const cpuSeconds = fields.slice(11, 15).reduce((sum, time) => sum + Number(time), 0) / ticks;
      return [{ pid: Number(name), session: Number(session), state, cpuSeconds }];
    } catch {
      // It has ended since.
      return [];
    }
  });
}

/** A Mac has no /proc, and its ps no number of the session: there, the leader's process group must do. */
function fromPs(): Process[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,state=,time='], { encoding: 'utf8' });
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, group, state = '', time = ''] = line.trim().split(/\s+/);
      // `minutes:seconds`, on a Mac however many minutes.
      const cpuSeconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
      return { pid: Number(pid), session: Number(group), state, cpuSeconds };
    });
}
