import type { MachineProcess } from '../../../machines/machineProcess.ts';
import type { Key } from '../../zonal.ts';
import type { MachineMetadata } from '../metadataTree.ts';
import type { Operation } from '../operations.ts';
import { createSerialPort, type SerialPort } from './serialPort.ts';

/** What there is of a machine besides its record: its process, its timers, what it has printed. */
export type Runtime = {
  serial: SerialPort;
  /** Of the last time it ran. */
  metadata?: MachineMetadata;
  process?: Promise<MachineProcess>;
  live?: MachineProcess;
  /** The insert or start that is under way. */
  becoming?: Operation;
  /** The preemption that it has been told of. */
  preempting?: Operation;
  ending?: { isGone: boolean; operations: Operation[]; done: Promise<void> };
  /** Takes back that it ends when its run time is over. */
  unlimit?: () => void;
  /** Does this next, unless the machine is ended before. */
  after(ms: number, work: () => void): void;
  /** Nothing that was to come comes any more. */
  clear(): void;
};

export type Runtimes = {
  get(key: Key): Runtime | undefined;
  begin(key: Key): Runtime;
  forget(key: Key): void;
  all(): Runtime[];
  entries(): [Key, Runtime][];
};

export function createRuntimes(): Runtimes {
  const runtimes = new Map<string, Runtime>();
  const idOf = ({ zone, name }: Key) => `${zone}/${name}`;
  const keyOf = (id: string): Key => {
    const [zone = '', name = ''] = id.split('/');
    return { zone, name };
  };
  return {
    get: (key) => runtimes.get(idOf(key)),
    begin(key) {
      let timer: NodeJS.Timeout | undefined;
      const runtime: Runtime = {
        serial: createSerialPort(),
        after(ms, work) {
          clearTimeout(timer);
          timer = setTimeout(work, ms);
        },
        clear() {
          clearTimeout(timer);
          runtime.unlimit?.();
        },
      };
      runtimes.set(idOf(key), runtime);
      return runtime;
    },
    forget: (key) => void runtimes.delete(idOf(key)),
    all: () => [...runtimes.values()],
    entries: () => [...runtimes].map(([id, runtime]) => [keyOf(id), runtime]),
  };
}
