import type { Config } from '../../config.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

/** When a machine is idle, and what comes of it. Times in milliseconds. */
export type IdlePolicy = {
  /** A machine on which nothing has happened for so long is idle. */
  after: number;
  /**
   * The same where no agent speaks, if it is longer. Who comes back and does little is then seen late or not at all, and
   * people are away for an hour more often than for two.
   */
  afterWithoutAgent?: number;
  /** Between the warning and the stop. */
  countdown: number;
  /** A machine that was started only now is left alone for so long. */
  grace: number;
  /** An SSH session without a key pressed, and an agent without a word, hold a machine for so long and no longer. */
  hardLimit: number;
  /** A machine that the sweep has stopped is deleted after so long; undefined for never. */
  deleteAfter?: number;
};

export type IdleSettings = Pick<
  Config,
  'idleAfter' | 'idleAfterWithoutAgent' | 'idleCountdown' | 'idleGrace' | 'idleHardLimit' | 'idleDeleteAfter'
>;

export function policyOf(settings: IdleSettings): IdlePolicy {
  const { idleAfter, idleAfterWithoutAgent, idleCountdown, idleGrace, idleHardLimit, idleDeleteAfter } =
    settings;
  return {
    after: idleAfter * minute,
    afterWithoutAgent: Math.max(idleAfter, idleAfterWithoutAgent) * minute,
    countdown: idleCountdown * minute,
    grace: idleGrace * minute,
    hardLimit: idleHardLimit * minute,
    ...(idleDeleteAfter === undefined ? {} : { deleteAfter: idleDeleteAfter * day }),
  };
}

/** At the guard's level `stop-idle` the budget is spent: what is not used at once is too dear. */
export const urgent = (policy: IdlePolicy): IdlePolicy => ({
  ...policy,
  after: Math.min(policy.after, 20 * minute),
  ...(policy.afterWithoutAgent === undefined
    ? {}
    : { afterWithoutAgent: Math.min(policy.afterWithoutAgent, 40 * minute) }),
  countdown: Math.min(policy.countdown, 5 * minute),
  grace: Math.min(policy.grace, 20 * minute),
});

/** What is to be measured. */
export const longestWindow = ({ after, afterWithoutAgent = after }: IdlePolicy): number =>
  Math.max(after, afterWithoutAgent);
