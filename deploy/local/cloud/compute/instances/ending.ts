import { setTimeout as sleep } from 'node:timers/promises';
import type { Key } from '../../zonal.ts';
import { notReady } from '../computeError.ts';
import { vanished } from '../failure.ts';
import type { Operation } from '../operations.ts';
import { pathTo } from '../parts.ts';
import type { LifeParts } from './life.ts';
import type { Runtime } from './runtimes.ts';

export type Ending = {
  /** Stops the machine, and removes it if it is not to be kept. */
  end(key: Key, isGone: boolean, operation: Operation): void;
  /** @throws 400 if it does not run */
  preempt(key: Key): Operation;
  guestEnded(key: Key): void;
  /** Its run time is over. */
  expire(key: Key): void;
  close(): Promise<void>;
};

/** While the cloud itself is ended, machines have less time (ms). */
const graceAtClose = 2000;

/** How a machine ends: STOPPING, and then TERMINATED or gone. */
export function createEnding({
  context,
  tables,
  operations,
  settings,
  records,
  runtimes,
}: LifeParts): Ending {
  const closing = new AbortController();
  const targetOf = ({ zone, name }: Key) => `zones/${zone}/instances/${name}`;
  const pathOf = (key: Key) => pathTo(context, targetOf(key));

  /** Waits until the machine is off, and writes down what is left. */
  const finish = async (key: Key, runtime: Runtime, grace: number) => {
    const process = await runtime.process?.catch(() => undefined);
    await process?.shutDown(grace);
    await sleep(settings.delays.stopping, undefined, closing).catch(() => {});
    const { isGone = false, operations: ended = [] } = runtime.ending ?? {};
    delete runtime.ending;
    delete runtime.process;
    delete runtime.live;
    if (isGone) runtimes.forget(key);
    // The same moment in the record, in the operation and on the bill.
    const at = new Date().toISOString();
    context.store.transaction(() => {
      const instance = tables.instances.get(key);
      if (instance) records.end(instance, isGone, at);
      for (const operation of ended) operations.finish(operation, undefined, at);
    });
  };

  const end: Ending['end'] = ({ zone, name }, isGone, operation) => {
    const key = { zone, name };
    const runtime = runtimes.get(key) ?? runtimes.begin(key);
    if (isGone) records.change(key, { isLeaving: true });
    if (runtime.ending) {
      runtime.ending.isGone ||= isGone;
      runtime.ending.operations.push(operation);
      return;
    }
    runtime.clear();
    if (runtime.becoming) operations.finish(runtime.becoming, vanished(pathOf(key)));
    const ended = runtime.preempting ? [runtime.preempting, operation] : [operation];
    delete runtime.becoming;
    delete runtime.preempting;
    records.change(key, { status: 'STOPPING' });
    runtime.ending = { isGone, operations: ended, done: Promise.resolve() };
    runtime.ending.done = finish(key, runtime, settings.shutdown);
  };

  const beginBySystem = (key: Key, operationType: string): Operation =>
    operations.begin({
      zone: key.zone,
      operationType,
      target: targetOf(key),
      targetId: tables.instances.get(key)?.id ?? '',
      isSystem: true,
    });
  const endBySystem = (key: Key, operationType: string, isGone: boolean) => {
    if (!tables.instances.get(key) || closing.signal.aborted || runtimes.get(key)?.ending) return;
    end(key, isGone, beginBySystem(key, operationType));
  };
  const isDeletedAtEnd = (key: Key) =>
    tables.instances.get(key)?.body.scheduling.instanceTerminationAction === 'DELETE';

  return {
    end,
    guestEnded: (key) => endBySystem(key, 'compute.instances.guestTerminate', false),
    // What Google calls this operation is not known; it does what a stop or delete does.
    expire: (key) => endBySystem(key, isDeletedAtEnd(key) ? 'delete' : 'stop', isDeletedAtEnd(key)),
    preempt({ zone, name }) {
      const key = { zone, name };
      const instance = tables.instances.get(key);
      const runtime = runtimes.get(key);
      if (instance?.status !== 'RUNNING' || !runtime?.metadata || runtime.preempting)
        throw notReady(pathOf(key));
      const operation = beginBySystem(key, 'compute.instances.preempted');
      runtime.preempting = operation;
      runtime.metadata.preempted = true;
      runtime.live?.metadata.changed();
      const seconds = instance.body.scheduling.preemptionNoticeDuration?.seconds;
      const notice = seconds === undefined ? settings.preemptionNotice : seconds * 1000;
      runtime.after(notice, () => {
        delete runtime.preempting;
        end(key, isDeletedAtEnd(key), operation);
      });
      return operation;
    },
    async close() {
      closing.abort();
      const grace = Math.min(settings.shutdown, graceAtClose);
      await Promise.all(
        runtimes.entries().map(async ([key, runtime]) => {
          runtime.clear();
          const { ending } = runtime;
          if (!ending) return runtime.process && finish(key, runtime, grace);
          // Whoever waits for it to end waits less.
          await (await runtime.process?.catch(() => undefined))?.shutDown(grace);
          await ending.done;
        }),
      );
    },
  };
}
