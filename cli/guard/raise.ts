import pc from 'picocolors';
import { raiseGuard } from '../../shared/budget/changeGuard.ts';
import { Level } from '../../shared/budget/levels.ts';
import { Refusal } from '../../shared/refusal.ts';
import { agrees } from '../agrees.ts';
import { connect, type Where } from '../connect.ts';
import { openGuard, reasonIn } from './open.ts';

export type RaiseOptions = Where & { json?: true; yes?: true; why: string };

/** A hand does not take the project from its billing account: that is done in the console, where it says what it does. */
const byHand = Level.exclude(['open', 'detached']);

const meaning: { [level in ReturnType<typeof byHand.parse>]: string } = {
  warned: 'People are told, and nothing else.',
  'no-new-work': 'No new jobs are started.',
  'stop-idle': 'No new jobs are started, and idle machines are stopped.',
  'stop-all': 'All machines of the project are stopped, except those that are protected.',
};

/** @returns the exit code: 0 if it is raised, 1 if not */
export async function raise(written: string, { json, yes, why, ...where }: RaiseOptions): Promise<number> {
  const level = byHand.safeParse(written);
  if (!level.success) throw new Refusal(`Expected one of ${byHand.options.join(', ')}.`);
  const to = level.data;
  const reason = reasonIn(why);
  await connect(where);
  const { by, ...guard } = await openGuard();
  console.error(`${to}: ${meaning[to]}`);
  const nobody = `There is nobody to ask whether ${to} is meant. Say so with --yes.`;
  if (!yes && !(await agrees('Raise the guard?', nobody))) {
    console.error('It stays as it is.');
    return 1;
  }
  const now = Date.now();
  const record = await raiseGuard(guard, { to, by, why: reason }, now);
  const isNews = record?.since === new Date(now).toISOString();
  if (json) console.log(JSON.stringify({ level: record?.level, isNews }));
  else if (isNews)
    console.log(`${pc.green('✓')} The guard is at ${to}. npx gazeline guard show tells what it does.`);
  else console.log(`It is at ${record?.level} already; what that asks for is looked after once more.`);
  return isNews ? 0 : 1;
}
