import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { peakMemory } from './peakMemory.ts';

export type Ran = { seconds: number; megabytes: number; output: string };

const running = new Set<ChildProcess>();

/** Starts a process that `endChildren` ends. */
export function start(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

/** Runs a program from its start to its end. @throws with what it printed, if it failed */
export async function run(command: string, args: string[], env?: NodeJS.ProcessEnv): Promise<Ran> {
  const begin = performance.now();
  const child = start(command, args, env);
  child.stdin?.end();
  const printed = Promise.all([child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')));
  const ended = once(child, 'close').then(([code, signal]) => ({
    failure: code === 0 ? undefined : (code ?? signal),
    seconds: (performance.now() - begin) / 1000,
  }));
  const { result, megabytes } = await peakMemory(() => [child.pid], ended, 20);
  const [output = '', errors = ''] = await printed;
  if (result.failure !== undefined) {
    throw new Error(`${command} ended with ${result.failure}:\n${errors.slice(-2000)}`);
  }
  return { seconds: result.seconds, megabytes, output };
}

export async function endChildren(): Promise<void> {
  await Promise.all(
    Array.from(running, (child) => {
      child.kill('SIGKILL');
      return child.exitCode === null && child.signalCode === null ? once(child, 'close') : undefined;
    }),
  );
}
