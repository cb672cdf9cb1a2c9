import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { isOver, readSession, type SessionRecord } from '../../shared/sessions/sessionRecord.ts';
import { durationOf } from '../duration.ts';
import type { OpenSessions } from './open.ts';
import { tryWords } from './showWords.ts';
import { stateWords } from './stateWords.ts';

/** Nothing is under way. */
const isAtRest = (record: SessionRecord) =>
  isOver(record) ||
  (record.state === record.wish && (record.state === 'running' || record.state === 'stopped'));

/** Shows on standard error what happens to a session, until nothing is under way or `patience` (ms) is over. */
export async function follow(
  { records }: OpenSessions,
  session: SessionRecord,
  patience: number,
): Promise<SessionRecord> {
  process.once('SIGINT', () => {
    console.error(
      `\nYou watch no more, and it goes on. npx gazeline session show ${session.name} tells how it is.`,
    );
    process.exit(130);
  });
  const since = Date.now();
  const isTerminal = process.stderr.isTTY;
  // \x1b[K: to the end of the line.
  const tell = (line: string) => console.error(isTerminal ? `\r\x1b[K${line}` : line);
  let told = { history: session.history.length, tries: session.tries.length, asked: '' };
  let record = session;
  for (let pause = 200; ; pause = Math.min(pause * 1.3, 2000)) {
    for (const one of record.tries.slice(told.tries)) tell(`  ${pc.yellow(tryWords(one))}`);
    for (const { state, reason } of record.history.slice(told.history))
      tell(`  ${stateWords(state)}${reason ? pc.dim(` ${clean(reason)}`) : ''}`);
    const { asked } = record;
    if (asked && asked.requestId !== told.asked)
      tell(`  asks for ${asked.candidate.machineType} in ${asked.candidate.zone}`);
    told = {
      history: record.history.length,
      tries: record.tries.length,
      asked: asked?.requestId ?? told.asked,
    };
    if (isAtRest(record) || Date.now() - since >= patience) break;
    if (isTerminal)
      process.stderr.write(
        `\r… ${record.state} (${durationOf(Date.now() - since)}; Workbench takes minutes) `,
      );
    await sleep(pause);
    record = (await readSession(records, session.name)) ?? record;
  }
  if (isTerminal) process.stderr.write('\r\x1b[K');
  return record;
}
