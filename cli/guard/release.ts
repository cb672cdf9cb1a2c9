import pc from 'picocolors';
import { releaseGuard } from '../../shared/budget/changeGuard.ts';
import { GuardRecord, guardRecordName } from '../../shared/budget/guardRecord.ts';
import { isAtLeast, type Level } from '../../shared/budget/levels.ts';
import { clean } from '../../shared/clean.ts';
import { agrees } from '../agrees.ts';
import { connect, type Where } from '../connect.ts';
import { openGuard, reasonIn } from './open.ts';

export type ReleaseOptions = Where & { json?: true; yes?: true; why: string; to: Level };

/** @returns the exit code: 0 if it is released, 1 if not */
export async function release({ json, yes, why, to, ...where }: ReleaseOptions): Promise<number> {
  const reason = reasonIn(why);
  await connect(where);
  const { by, records } = await openGuard();
  const before = (await records.read(guardRecordName, GuardRecord))?.value;
  console.error(
    `The guard is at ${before?.level ?? 'open'}${before?.reason ? `: ${clean(before.reason)}` : ''}.`,
  );
  if (!isAtLeast(before?.level ?? 'open', to) || (before?.level ?? 'open') === to) {
    if (json) console.log(JSON.stringify({ level: before?.level ?? 'open', isNews: false }));
    else console.log(`It is not above ${to}: there is nothing to let down.`);
    return 1;
  }
  const nobody = `There is nobody to ask whether ${to} is meant. Say so with --yes.`;
  if (!yes && !(await agrees(`Let it down to ${to}?`, nobody))) {
    console.error('It stays as it is.');
    return 1;
  }
  const record = await releaseGuard(records, { to, by, why: reason }, Date.now());
  if (json)
    console.log(
      JSON.stringify({ level: record?.level ?? before?.level ?? 'open', isNews: record !== undefined }),
    );
  else if (!record) console.log(`It is not above ${to}: there is nothing to let down.`);
  else
    console.log(
      `${pc.green('✓')} The guard is at ${to}. It comes back at ${Math.floor((record.released?.until ?? 0) * 1000) / 10} % of the budget.`,
    );
  return record ? 0 : 1;
}
