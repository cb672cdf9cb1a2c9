import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import type { SessionRecord } from '../../shared/sessions/sessionRecord.ts';
import { stoppedWords, summaryOf } from '../../shared/sessions/summary.ts';
import type { OpenSessions } from './open.ts';
import { stateWords } from './stateWords.ts';

/**
 * Says how a session is now.
 * @returns the exit code: 0 if it is what was wanted
 */
export function tellOutcome(
  record: SessionRecord,
  wanted: SessionRecord['wish'],
  { prices, config }: OpenSessions,
  json: true | undefined,
): number {
  const summary = summaryOf(record, prices);
  const { name, state, reason, link, owner, diskGb, cost, hours, idleMinutes } = summary;
  const isReached = state === wanted;
  if (json) console.log(JSON.stringify(summary, undefined, 2));
  else if (!isReached)
    console.log(
      `${pc.bold(name)} is ${stateWords(state)}${reason ? `: ${clean(reason)}` : ''}\n${pc.dim(`npx gazeline session show ${name} tells how it is.`)}`,
    );
  else if (state === 'running')
    console.log(
      [
        `${pc.green('✓')} ${pc.bold(name)} runs.${link ? ` Open it${config.localCloud ? '' : ` as ${clean(owner)}`}: ${pc.cyan(link)}` : ''}`,
        pc.dim(
          `It is stopped after ${hours} hours, or ${idleMinutes} minutes without use; ${stoppedWords(cost.perMonthStopped)}.`,
        ),
      ].join('\n'),
    );
  else if (state === 'stopped')
    console.log(
      `${pc.green('✓')} ${pc.bold(name)} is stopped. Its ${diskGb} GB are kept: ${stoppedWords(cost.perMonthStopped)}.\n${pc.dim(`npx gazeline session resume ${name} goes on; session delete ${name} takes the disks as well.`)}`,
    );
  else console.log(`${pc.green('✓')} ${pc.bold(name)} is deleted, with its disks.`);
  return isReached ? 0 : 1;
}
