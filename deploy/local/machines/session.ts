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

type Process = { pid: number; session: number; state: string };

function processes(): Process[] {
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
      const [state = '', , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(name), session: Number(session), state }];
    } catch {
      // It has ended since.
      return [];
    }
  });
}

/** A Mac has no /proc, and its ps no number of the session: there, the leader's process group must do. */
function fromPs(): Process[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,state='], { encoding: 'utf8' });
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, group, state = ''] = line.trim().split(/\s+/);
      return { pid: Number(pid), session: Number(group), state };
    });
}
