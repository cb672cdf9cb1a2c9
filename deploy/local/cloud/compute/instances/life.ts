import { setTimeout as sleep } from 'node:timers/promises';
import { startMachineProcess } from '../../../machines/machineProcess.ts';
import type { Context } from '../../service.ts';
import { notReady } from '../computeError.ts';
import type { Disk } from '../disks.ts';
import { type Failure, vanished } from '../failure.ts';
import { mintToken } from '../mintToken.ts';
import type { Operation, Operations } from '../operations.ts';
import { pathTo } from '../parts.ts';
import type { Settings } from '../settings.ts';
import type { Tables } from '../tables.ts';
import { struck } from './faulty.ts';
import type { Folders } from './folders.ts';
import { type Instance, isUp, type Key, metadataOf, provisioningModel } from './instance.ts';
import { machineMetadata } from './machineMetadata.ts';
import { endOf, whenItIs } from './runLimit.ts';
import { createRuntimes, type Runtime } from './runtimes.ts';

/** How instances become, run and end. Each of these returns at once; the operation tells when it is done. */
export type Life = {
  /** @param failure what it will fail of, if it will */
  create(instance: Instance, disks: Disk[], operation: Operation, failure?: Failure): void;
  start(key: Key, operation: Operation, failure?: Failure): void;
  /** Stops the machine, and removes it if it is not to be kept. */
  end(key: Key, isGone: boolean, operation: Operation): void;
  /** @throws 400 if it does not run */
  preempt(key: Key): Operation;
  /** What there is of a machine besides its record, since the cloud was started. */
  runtime(key: Key): Runtime | undefined;
  pending(): number;
  close(): Promise<void>;
};

/** While the cloud itself is ended, machines have less time (ms). */
const graceAtClose = 2000;

export function createLife(
  context: Context,
  tables: Tables,
  operations: Operations,
  settings: Settings,
  { folders, keyFile }: { folders: Folders; keyFile: string },
): Life {
  const runtimes = createRuntimes();
  const { store, faults } = context;
  const now = () => new Date().toISOString();
  const pathOf = ({ zone, name }: Key) => pathTo(context, `zones/${zone}/instances/${name}`);
  const closing = new AbortController();

  const change = (key: Key, changes: Partial<Instance>): Instance | undefined => {
    const instance = tables.instances.get(key);
    if (!instance) return undefined;
    const changed = { ...instance, ...changes };
    tables.instances.put(changed);
    return changed;
  };

  const remove = (instance: Instance) => {
    const { zone, name } = instance;
    tables.instances.remove(instance);
    for (const { name: diskName, autoDelete, boot } of instance.disks) {
      const { user: _, ...disk } = tables.disks.get({ zone, name: diskName }) ?? {};
      if (!autoDelete) tables.disks.put({ ...(disk as Disk), lastDetach: now() });
      else tables.disks.remove({ zone, name: diskName });
      if (autoDelete && boot) folders.remove(zone, diskName);
    }
    runtimes.forget({ zone, name });
  };

  const create: Life['create'] = (instance, disks, operation, failure) => {
    const { zone, name } = instance;
    const key = { zone, name };
    store.transaction(() => {
      tables.instances.put(instance);
      for (const disk of disks) tables.disks.put({ ...disk, user: name });
    });
    const runtime = runtimes.begin(key);
    runtime.becoming = operation;
    runtime.after(settings.delays.provisioning, () => {
      if (!failure) return stage(key, operation);
      store.transaction(() => {
        // Nothing is left of it, whatever its disks were to do after its end.
        remove({ ...instance, disks: instance.disks.map((disk) => ({ ...disk, autoDelete: true })) });
        operations.finish(operation, failure);
      });
    });
  };

  const start: Life['start'] = (key, operation, failure) => {
    const runtime = runtimes.begin(key);
    runtime.becoming = operation;
    change(key, { status: 'PROVISIONING' });
    runtime.after(settings.delays.provisioning, () => {
      if (!failure) return stage(key, operation);
      change(key, { status: 'TERMINATED' });
      operations.finish(operation, failure);
    });
  };

  const stage = (key: Key, operation: Operation) => {
    const runtime = runtimes.get(key);
    change(key, { status: 'STAGING' });
    runtime?.after(settings.delays.staging, () => boot(key, operation));
  };

  const boot = (key: Key, operation: Operation) => {
    const runtime = runtimes.get(key);
    const before = tables.instances.get(key);
    if (!runtime || !before) return;
    const lastStart = now();
    const terminationTime = endOf(before, lastStart);
    const { terminationTime: _, ...rest } = before;
    const instance: Instance = {
      ...rest,
      status: 'RUNNING',
      lastStart,
      ...(terminationTime ? { terminationTime } : {}),
    };
    store.transaction(() => {
      tables.instances.put(instance);
      tables.runs.begin(runOf(instance, lastStart));
      operations.finish(operation);
    });
    delete runtime.becoming;
    if (terminationTime) runtime.unlimit = whenItIs(terminationTime, () => expire(key));

    const isBroken = faults.strike('compute', ['bootFailure'], struck(instance)) !== undefined;
    if (isBroken)
      runtime.serial.write('Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)');
    const metadata = machineMetadata(context, instance);
    runtime.metadata = metadata;
    const script = metadataOf(instance)['startup-script'];
    runtime.process = startMachineProcess({
      folder: folders.of(instance),
      script: isBroken ? undefined : script,
      metadata,
      mintToken: () => mintToken(context.origin(), keyFile),
      origin: context.origin(),
      onLine: runtime.serial.write,
      onPowerOff: () => guestEnded(key),
    });
    runtime.process.then(
      (process) => {
        runtime.live = process;
      },
      (error: unknown) => {
        console.error(`local cloud: the machine ${key.name} does not start:`, error);
        delete runtime.process;
        guestEnded(key);
      },
    );
  };

  /** The machine is off; what is left of it is put away. */
  const put = async (key: Key, runtime: Runtime, grace: number) => {
    const process = await runtime.process?.catch(() => undefined);
    await process?.shutDown(grace);
    await sleep(settings.delays.stopping, undefined, closing).catch(() => {});
    const { isGone = false, operations: ending = [] } = runtime.ending ?? {};
    store.transaction(() => {
      const instance = tables.instances.get(key);
      if (!instance) return;
      // The same moment in the record, the operation and the bill.
      const lastStop = now();
      tables.runs.end(instance.id, lastStop);
      delete runtime.ending;
      delete runtime.process;
      delete runtime.live;
      if (isGone) remove(instance);
      else {
        const { terminationTime: _, ...rest } = instance;
        tables.instances.put({ ...rest, status: 'TERMINATED', lastStop });
      }
      for (const operation of ending) operations.finish(operation, undefined, lastStop);
    });
  };

  const end: Life['end'] = (key, isGone, operation) => {
    const runtime = runtimes.get(key) ?? runtimes.begin(key);
    if (isGone) change(key, { isLeaving: true });
    if (runtime.ending) {
      runtime.ending.isGone ||= isGone;
      runtime.ending.operations.push(operation);
      return;
    }
    runtime.clear();
    if (runtime.becoming) operations.finish(runtime.becoming, vanished(pathOf(key)));
    delete runtime.becoming;
    const ending = runtime.preempting ? [runtime.preempting, operation] : [operation];
    runtime.ending = { isGone, operations: ending, done: Promise.resolve() };
    delete runtime.preempting;
    change(key, { status: 'STOPPING' });
    runtime.ending.done = put(key, runtime, settings.shutdown);
  };

  const endBySystem = (key: Key, operationType: string, isGone: boolean) => {
    const instance = tables.instances.get(key);
    if (!instance || closing.signal.aborted || runtimes.get(key)?.ending) return;
    const target = `zones/${key.zone}/instances/${key.name}`;
    const { zone } = key;
    end(
      key,
      isGone,
      operations.begin({ zone, operationType, target, targetId: instance.id, isSystem: true }),
    );
  };
  const isDeletedAtEnd = (key: Key) =>
    tables.instances.get(key)?.body.scheduling.instanceTerminationAction === 'DELETE';
  const guestEnded = (key: Key) => endBySystem(key, 'compute.instances.guestTerminate', false);
  /** How Google calls the operation is not known; it does what a stop or delete does. */
  const expire = (key: Key) => endBySystem(key, isDeletedAtEnd(key) ? 'delete' : 'stop', isDeletedAtEnd(key));

  const preempt: Life['preempt'] = (key) => {
    const instance = tables.instances.get(key);
    const runtime = runtimes.get(key);
    if (instance?.status !== 'RUNNING' || !runtime?.metadata || runtime.metadata.preempted)
      throw notReady(pathOf(key));
    const target = `zones/${key.zone}/instances/${key.name}`;
    const operationType = 'compute.instances.preempted';
    const { zone } = key;
    const operation = operations.begin({
      zone,
      operationType,
      target,
      targetId: instance.id,
      isSystem: true,
    });
    runtime.preempting = operation;
    runtime.metadata.preempted = true;
    runtime.live?.metadata.changed();
    const seconds = instance.body.scheduling.preemptionNoticeDuration?.seconds;
    const notice = seconds === undefined ? settings.preemptionNotice : seconds * 1000;
    runtime.after(notice, () => end(key, isDeletedAtEnd(key), operation));
    return operation;
  };

  recover(tables, operations, remove);

  return {
    create,
    start,
    end,
    preempt,
    runtime: runtimes.get,
    pending: () => runtimes.all().filter(({ live }) => live?.isStarting()).length,
    async close() {
      closing.abort();
      await Promise.all(
        runtimes.entries().map(async ([key, runtime]) => {
          runtime.clear();
          if (!runtime.process && !runtime.ending) return;
          const process = await runtime.process?.catch(() => undefined);
          const grace = Math.min(settings.shutdown, graceAtClose);
          if (!runtime.ending) return put(key, runtime, grace);
          // Whoever waits for it to end waits less.
          await process?.shutDown(grace);
          await runtime.ending?.done;
        }),
      );
    },
  };
}

/** What ran when the cloud ended does not run any more. */
function recover(tables: Tables, operations: Operations, remove: (instance: Instance) => void): void {
  const at = new Date().toISOString();
  for (const instance of tables.instances.all()) {
    if (!isUp(instance)) continue;
    tables.runs.end(instance.id, at);
    const { terminationTime: _, ...rest } = instance;
    if (instance.isLeaving) remove(instance);
    else tables.instances.put({ ...rest, status: 'TERMINATED', lastStop: at });
  }
  for (const operation of tables.operations.all()) operations.finish(operation);
}

const runOf = (instance: Instance, startedAt: string) => ({
  zone: instance.zone,
  name: instance.name,
  id: instance.id,
  machineType: instance.machineType,
  accelerators: instance.accelerators,
  provisioningModel: provisioningModel(instance),
  diskGb: instance.disks.reduce((sum, { sizeGb }) => sum + sizeGb, 0),
  labels: instance.body.labels ?? {},
  startedAt,
});
