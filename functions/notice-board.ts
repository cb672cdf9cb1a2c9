import type { Log } from '../shared/log.ts';
import { BoardRecord, boardRecordName, post } from '../shared/notices/board.ts';
import { boardText } from '../shared/notices/boardText.ts';
import { type NoticeMessage, postedOf } from '../shared/notices/noticeMessage.ts';
import { type PutUpDependencies, putUp } from '../shared/notices/putUp.ts';
import { NotYet } from '../shared/once.ts';
import type { Records } from '../shared/storage/records.ts';

export type NoticeBoardDependencies = Omit<PutUpDependencies, 'ids'> & {
  project: string;
  records: Records;
  /** Makes an id that a file can be created with. */
  newId(): Promise<string>;
  /** Sees to it that this is called again once somebody may have done what only a person can. */
  lookAgain(): Promise<void>;
  log: Log;
  now: () => number;
};

/** Others may post at the same time. */
const mostTries = 5;

/**
 * Writes what people are told of budget and idle machines into a file of the study folder, where they see it without a
 * mail server. The record holds what the file has to say, and is written first; so the file can be made anew at any time.
 */
export async function noticeBoard(
  message: NoticeMessage,
  { id }: { id: string },
  dependencies: NoticeBoardDependencies,
): Promise<void> {
  const { records, project, log, now } = dependencies;
  if (!('check' in message)) {
    const posted = postedOf(message, id);
    await records.update(
      boardRecordName,
      BoardRecord,
      (before = { notices: [] }): BoardRecord | undefined => {
        const after = post(before, posted);
        return after === before ? undefined : after;
      },
    );
  }
  for (let time = 1; time <= mostTries; time++) {
    const read = await records.read(boardRecordName, BoardRecord);
    if (!read || read.value.notices.length === 0) return;
    const { value: board, generation } = read;
    const given = { ...dependencies, ids: idsOf(dependencies) };
    const outcome = await putUp(boardText(board, project), board.fileId, given);
    const at = new Date(now()).toISOString();
    const { problem: before, ...rest } = board;
    if ('problem' in outcome) {
      const { problem: words } = outcome;
      const since = before?.words === words ? before.since : at;
      log.warning('the notices are not in the study folder', { problem: words });
      await dependencies.lookAgain();
      await records.write(boardRecordName, { ...rest, problem: { since, words } }, generation);
      return;
    }
    const { fileId } = outcome;
    // If somebody has posted meanwhile, theirs may be missing in what was written last.
    if (await records.write(boardRecordName, { ...rest, fileId, writtenAt: at }, generation)) return;
  }
  throw new NotYet('others are writing the notices as well');
}

const idsOf = ({ records, newId }: NoticeBoardDependencies): PutUpDependencies['ids'] => ({
  async own() {
    const id = await newId();
    const board = await records.update(
      boardRecordName,
      BoardRecord,
      (before = { notices: [] }): BoardRecord | undefined =>
        before.ownId === undefined ? { ...before, ownId: id } : undefined,
    );
    return board?.ownId ?? id;
  },
  async forget(id) {
    await records.update(boardRecordName, BoardRecord, (before): BoardRecord | undefined => {
      if (before?.ownId !== id) return undefined;
      const { ownId: _, ...rest } = before;
      return rest;
    });
  },
});
