import { startMachineProcess } from '../../../machines/machineProcess.ts';
import type { Key } from '../../zonal.ts';
import type { Disk } from '../disks.ts';
import type { Failure } from '../failure.ts';
import { mintToken } from '../mintToken.ts';
import type { Operation } from '../operations.ts';
import { struck } from './faulty.ts';
import { firstScript } from './firstScript.ts';
import type { Instance } from './instance.ts';
import type { LifeParts } from './life.ts';
import { machineMetadata } from './machineMetadata.ts';
import { endOf, whenItIs } from './runLimit.ts';

export type Becoming = {
  create(instance: Instance, disks: Disk[], operation: Operation, failure?: Failure): void;
  start(key: Key, operation: Operation, failure?: Failure): void;
};

/** How a machine comes up: PROVISIONING, STAGING, RUNNING. */
export function createBecoming(
  parts: LifeParts,
  ends: { guestEnded(key: Key): void; expire(key: Key): void },
): Becoming {
  const { context, tables, operations, settings, folders, keyFile, records, runtimes } = parts;
  const { store, faults } = context;

  /** @param fail what becomes of it if it cannot be provided */
  const provide = (key: Key, operation: Operation, failure: Failure | undefined, fail: () => void) => {
    const runtime = runtimes.begin(key);
    runtime.becoming = operation;
    runtime.after(settings.delays.provisioning, () => {
      if (!failure) {
        records.change(key, { status: 'STAGING' });
        return runtime.after(settings.delays.staging, () => boot(key, operation));
      }
      store.transaction(() => {
        fail();
        operations.finish(operation, failure);
      });
      runtimes.forget(key);
    });
  };

  const boot = (key: Key, operation: Operation) => {
    const before = tables.instances.get(key);
    const runtime = runtimes.get(key);
    if (!before || !runtime) return;
    const lastStart = new Date().toISOString();
    const terminationTime = endOf(before, lastStart);
    const instance: Instance = {
      ...before,
      status: 'RUNNING',
      lastStart,
      ...(terminationTime ? { terminationTime } : {}),
    };
    store.transaction(() => {
      records.begin(instance);
      operations.finish(operation);
    });
    delete runtime.becoming;
    if (terminationTime) runtime.unlimit = whenItIs(terminationTime, () => ends.expire(key));

    const isBroken = faults.strike('compute', ['bootFailure'], struck(instance)) !== undefined;
    if (isBroken)
      runtime.serial.write('Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)');
    runtime.metadata = machineMetadata(context, instance);
    runtime.process = startMachineProcess({
      folder: folders.of(instance),
      script: isBroken ? undefined : firstScript(instance),
      metadata: runtime.metadata,
      mintToken: () => mintToken(context.origin(), keyFile),
      origin: context.origin(),
      onLine: runtime.serial.write,
      onPowerOff: () => ends.guestEnded(key),
    });
    runtime.process.then(
      (process) => {
        runtime.live = process;
      },
      (error: unknown) => {
        console.error(`local cloud: the machine ${key.name} does not start:`, error);
        ends.guestEnded(key);
      },
    );
  };

  return {
    create(instance, disks, operation, failure) {
      const { zone, name } = instance;
      records.add(instance, disks);
      provide({ zone, name }, operation, failure, () => records.takeBack(instance));
    },
    start({ zone, name }, operation, failure) {
      const key = { zone, name };
      records.change(key, { status: 'PROVISIONING' });
      provide(key, operation, failure, () => records.change(key, { status: 'TERMINATED' }));
    },
  };
}
