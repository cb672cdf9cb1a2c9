import type { Context } from '../../service.ts';
import type { Key } from '../../zonal.ts';
import type { Operations } from '../operations.ts';
import type { Settings } from '../settings.ts';
import type { Tables } from '../tables.ts';
import { type Becoming, createBecoming } from './becoming.ts';
import { createEnding, type Ending } from './ending.ts';
import type { Folders } from './folders.ts';
import { createRecords, type Records } from './records.ts';
import { createRuntimes, type Runtime, type Runtimes } from './runtimes.ts';

/** How instances become, run and end. Each of these returns at once; the operation tells when it is done. */
export type Life = Becoming &
  Pick<Ending, 'end' | 'preempt' | 'close'> & {
    /** What there is of a machine besides its record, since the cloud was started. */
    runtime(key: Key): Runtime | undefined;
    /** How many start-up scripts still run. */
    pending(): number;
  };

export type LifeOptions = {
  context: Context;
  tables: Tables;
  operations: Operations;
  settings: Settings;
  folders: Folders;
  keyFile: string;
};
export type LifeParts = LifeOptions & { records: Records; runtimes: Runtimes };

export function createLife(options: LifeOptions): Life {
  const { context, tables, folders, operations } = options;
  const runtimes = createRuntimes();
  const records = createRecords(context, tables, folders);
  const parts = { ...options, records, runtimes };
  records.recover(operations);
  const { end, preempt, close, ...ends } = createEnding(parts);
  return {
    ...createBecoming(parts, ends),
    end,
    preempt,
    close,
    runtime: runtimes.get,
    pending: () => runtimes.all().filter(({ live }) => live?.isStarting()).length,
  };
}
