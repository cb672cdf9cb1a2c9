import type { Lab } from '../../deploy/local/lab.ts';
import type { Ran } from '../sync/children.ts';

/** Who brings what is below a prefix of the raw bucket into an empty folder, or into one that has it already. */
export type Puller = {
  name: string;
  /** @param isThere all of it lies there already */
  pull(prefix: string, folder: string, isThere: boolean): Promise<Ran & { inside?: number }>;
};

/** What every case is given. */
export type Bench = {
  dir: string;
  lab: Lab;
  pullers: Puller[];
  rounds: number;
  progress(text: string): void;
};

export const gazeline = 'Gazeline';
export const curl = 'curl';
