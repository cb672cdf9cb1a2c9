import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type MetadataServer, startMetadataServer } from '../cloud/compute/metadataServer.ts';
import type { MachineMetadata } from '../cloud/compute/metadataTree.ts';
import { mintIdToken } from '../cloud/token/mintIdToken.ts';
import { machineEnvironment } from './machineEnvironment.ts';
import { membersOf, signalAll } from './session.ts';

export type MachineProcessOptions = {
  /** Its disk: working directory and HOME of all that runs on it; made if it is not there. */
  folder: string;
  /** The start-up script; a machine without one only waits. */
  script?: string | undefined;
  /** What its metadata server says; change it and call `metadata.changed()`. */
  metadata: MachineMetadata;
  mintToken: () => Promise<object>;
  /** Of the local cloud. */
  origin: string;
  /** A line for the serial port. */
  onLine: (line: string) => void;
  /** The guest has powered itself off, or its first process was killed. The owner calls `shutDown` then. */
  onPowerOff: () => void;
};

export type MachineProcess = {
  /** Of its first process, by which its session is called. */
  pid: number;
  metadata: MetadataServer;
  /** Whether the start-up script still runs. */
  isStarting(): boolean;
  /**
   * SIGTERM to everything on it, as a guest does when it is told by ACPI, and SIGKILL to what is still there after
   * `grace` milliseconds. Resolves when nothing is left. Called again it only shortens the grace.
   */
  shutDown(grace: number): Promise<void>;
};

const init = fileURLToPath(new URL('./init.sh', import.meta.url));
const runner = 'google_metadata_script_runner';

/** Starts a machine: a session of processes with a folder and a metadata server of its own. */
export async function startMachineProcess(options: MachineProcessOptions): Promise<MachineProcess> {
  const { folder, script, onLine, onPowerOff, origin } = options;
  await mkdir(join(folder, 'tmp'), { recursive: true });
  const file = join(folder, '.startup-script');
  if (script !== undefined) await writeFile(file, script, { mode: 0o700 });
  const metadata = await startMetadataServer(options.metadata, {
    mintToken: options.mintToken,
    mintIdToken: (...asked) => mintIdToken(origin, ...asked),
  });

  const { project } = options.metadata;
  const child = spawn('bash', [init, script === undefined ? '' : file], {
    cwd: folder,
    env: machineEnvironment({ folder, metadataHost: metadata.host, origin, project }),
    // A session and process group of its own, whose number is its pid.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve).once('error', reject);
  }).catch(async (error: unknown) => {
    await metadata.close();
    throw error;
  });
  const pid = child.pid as number;
  let isAlive = true;
  let isStarting = script !== undefined;
  let isEnding = false;
  let deadline = Number.POSITIVE_INFINITY;
  let ended: Promise<void> | undefined;
  const powerOff = () => {
    if (!isEnding) onPowerOff();
    isEnding = true;
  };

  // The machine's end of the pipe may close before ours.
  child.stdin?.on('error', () => {});
  if (script !== undefined) onLine(`${runner}: Starting startup scripts.`);
  for (const output of [child.stdout, child.stderr])
    if (output)
      createInterface({ input: output }).on('line', (line) => onLine(`${runner}: startup-script: ${line}`));
  createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
    if (line === 'poweroff') return powerOff();
    const status = line.replace('exit ', '');
    isStarting = false;
    if (status !== '0') onLine(`${runner}: Script "startup-script" failed with error: exit status ${status}`);
    onLine(`${runner}: startup-script exit status ${status}`);
    onLine(`${runner}: Finished running startup scripts.`);
  });
  child.once('exit', () => {
    isAlive = false;
    powerOff();
  });

  const end = async () => {
    isEnding = true;
    // Once: what is begun now may be part of an orderly end, such as an upload.
    signalAll(membersOf(pid), 'SIGTERM');
    let pause = 20;
    for (let left = membersOf(pid); left.length > 0; left = membersOf(pid)) {
      if (Date.now() >= deadline) signalAll(left, 'SIGKILL');
      await sleep(pause);
      pause = Math.min(pause * 1.2, 200);
    }
    if (isAlive) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    }
    // It may have begun its script in between.
    for (let left = membersOf(pid); left.length > 0; left = membersOf(pid)) {
      signalAll(left, 'SIGKILL');
      await sleep(pause);
    }
    isStarting = false;
    await metadata.close();
  };

  return {
    pid,
    metadata,
    isStarting: () => isStarting,
    shutDown(grace) {
      deadline = Math.min(deadline, Date.now() + grace);
      ended ??= end();
      return ended;
    },
  };
}
