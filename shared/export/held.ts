import { NotYet } from '../once.ts';
import type { Records } from '../storage/records.ts';
import type { Attempt, ExportedFile } from './exportedFile.ts';

/** The record of an object in a folder, while nobody else may be at it. */
export type Held = {
  value: ExportedFile;
  /** @throws NotYet if somebody else is at it now */
  write(change: Partial<ExportedFile>): Promise<void>;
  /** The same for what is being written. */
  writeAttempt(change: Partial<Attempt>): Promise<void>;
};

export function held(records: Records, record: string, before: string, first: ExportedFile): Held {
  let generation = before;
  const held: Held = {
    value: first,
    async write(change) {
      held.value = { ...held.value, ...change };
      const written = await records.write(record, held.value, generation);
      if (!written) throw new NotYet(`${held.value.object} is being exported elsewhere`);
      generation = written;
    },
    async writeAttempt(change) {
      const { attempt } = held.value;
      if (attempt) await held.write({ attempt: { ...attempt, ...change } });
    },
  };
  return held;
}
