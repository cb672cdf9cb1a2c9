import pc from 'picocolors';
import { dollars } from '../../shared/machines/prices.ts';
import { Refusal } from '../../shared/refusal.ts';
import { prolongSession } from '../../shared/sessions/prolongSession.ts';
import { SessionConflict } from '../../shared/sessions/requestSession.ts';
import { summaryOf } from '../../shared/sessions/summary.ts';
import { userName } from '../../shared/userName.ts';
import { connect, type Where } from '../connect.ts';
import { durationOf } from '../duration.ts';
import { localTime } from '../job/localTime.ts';
import { findSession, noSession, openSessions } from './open.ts';

export type ProlongOptions = Where & { json?: true; hours: number };

/** @returns the exit code */
export async function prolong(name: string, { json, hours, ...where }: ProlongOptions): Promise<number> {
  await connect(where);
  const { records, prices, config } = await openSessions();
  await findSession({ records }, name);
  const limits = { ...config, periodKind: config.budgetPeriod };
  try {
    const wished = { by: userName(), hours };
    const record =
      (await prolongSession(name, wished, { records, limits, now: Date.now })) ?? noSession(name);
    const summary = summaryOf(record, prices);
    const { endsAt = '', cost } = summary;
    if (json) console.log(JSON.stringify(summary, undefined, 2));
    else
      console.log(
        `${pc.green('✓')} ${pc.bold(name)} is stopped in ${durationOf(Date.parse(endsAt) - Date.now())}, ${localTime(endsAt)}. ` +
          (cost.perHour === null
            ? 'What that costs is not known.'
            : `That is at most ${dollars(cost.perHour * hours)} more.`),
      );
    return 0;
  } catch (error) {
    if (error instanceof SessionConflict) throw new Refusal(`${error.message}.`, { cause: error });
    throw error;
  }
}
