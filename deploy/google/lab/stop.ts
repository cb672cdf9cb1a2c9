import { isCancel } from '@clack/prompts';

/** The end, for a reason that a person can do something about: it is shown as it is, without a stack. */
export class Stop extends Error {
  override name = 'Stop';
}

/** Somebody pressed Ctrl-C or Escape. What was answered until then is remembered. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** @throws Interrupted if the question was left */
export function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new Interrupted();
  return answer as Exclude<T, symbol>;
}
