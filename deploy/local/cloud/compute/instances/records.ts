import type { Context } from '../../service.ts';
import type { Key } from '../../zonal.ts';
import type { Disk } from '../disks.ts';
import type { Operations } from '../operations.ts';
import type { Tables } from '../tables.ts';
import type { Folders } from './folders.ts';
import { type Instance, isUp, provisioningModel } from './instance.ts';

/** What is written down of instances: each of these leaves the tables whole. */
export type Records = {
  /** @returns undefined if it is not there any more */
  change(key: Key, changes: Partial<Instance>): Instance | undefined;
  add(instance: Instance, disks: Disk[]): void;
  /** It runs from this moment on, which is when its bill begins. */
  begin(instance: Instance): void;
  /** It ran until this moment; it stays, or it goes with those of its disks that go with it. */
  end(instance: Instance, isGone: boolean, at: string): void;
  /** It was never there, nor was a disk of it. */
  takeBack(instance: Instance): void;
  /** What ran when the cloud ended does not run any more. */
  recover(operations: Operations): void;
};

export function createRecords({ store }: Context, tables: Tables, folders: Folders): Records {
  const remove = (instance: Instance, at: string) => {
    const { zone } = instance;
    tables.instances.remove(instance);
    for (const { name, autoDelete, boot } of instance.disks) {
      const disk = tables.disks.get({ zone, name });
      if (!disk) continue;
      const { user: _, ...detached } = disk;
      if (autoDelete) tables.disks.remove({ zone, name });
      else tables.disks.put({ ...detached, lastDetach: at });
      if (autoDelete && boot) folders.remove(zone, name);
    }
  };

  const end: Records['end'] = (instance, isGone, at) => {
    tables.runs.end(instance.id, at);
    if (isGone) return remove(instance, at);
    const { terminationTime: _, ...rest } = instance;
    tables.instances.put({ ...rest, status: 'TERMINATED', lastStop: at });
  };

  return {
    end,
    change(key, changes) {
      const instance = tables.instances.get(key);
      if (!instance) return undefined;
      const changed = { ...instance, ...changes };
      tables.instances.put(changed);
      return changed;
    },
    add(instance, disks) {
      store.transaction(() => {
        tables.instances.put(instance);
        for (const disk of disks) tables.disks.put(disk);
      });
    },
    begin(instance) {
      tables.instances.put(instance);
      tables.runs.begin({
        zone: instance.zone,
        name: instance.name,
        id: instance.id,
        machineType: instance.machineType,
        accelerators: instance.accelerators,
        provisioningModel: provisioningModel(instance),
        diskGb: instance.disks.reduce((sum, { sizeGb }) => sum + sizeGb, 0),
        localSsds: instance.localSsds,
        labels: instance.body.labels ?? {},
        startedAt: instance.lastStart ?? instance.created,
      });
    },
    takeBack(instance) {
      const disks = instance.disks.map((disk) => ({ ...disk, autoDelete: true }));
      remove({ ...instance, disks }, instance.created);
    },
    recover(operations) {
      const at = new Date().toISOString();
      store.transaction(() => {
        for (const instance of tables.instances.all())
          if (isUp(instance)) end(instance, instance.isLeaving ?? false, at);
        for (const operation of tables.operations.all()) operations.finish(operation);
      });
    },
  };
}
