import type { Letter } from '../../deploy/local/cloud/billing/tables.ts';

/** Somebody who looks after the machines and the budget of a lab. */
export type Policy = {
  /** Every five minutes. */
  tick(): Promise<void>;
  /** What Google says of the budget. */
  hear(letter: Letter): Promise<void>;
};

export const nothing: Policy = {
  async tick() {},
  async hear() {},
};
