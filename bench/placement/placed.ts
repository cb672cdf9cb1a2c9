/** What it took until a machine ran. */
export type Placed = {
  /** When it ran, by the clock of the simulation; undefined if none was found. */
  at: number | undefined;
  zone?: string;
  /** Requests to Compute Engine. */
  calls: number;
};
