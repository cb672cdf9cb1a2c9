import type { Rclone } from './rclone.ts';
import type { GoogleProxy } from './startProxy.ts';
import type { Study } from './study.ts';

/** What every case is given. */
export type Bench = {
  dir: string;
  study: Study;
  /** Without one, the others are measured all the same. */
  rclone: Rclone | undefined;
  proxy: GoogleProxy | undefined;
  rounds: number;
  progress(text: string): void;
};

/** The names of those who are compared in more than one case. */
export const who = {
  gazeline: 'Gazeline',
  pipe: 'bare pipe',
  pipeByProxy: 'bare pipe, by the proxy',
  rclone: 'rclone, as it comes',
  rcloneFavourable: 'rclone, favourable',
};
