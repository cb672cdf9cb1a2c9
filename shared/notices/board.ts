import * as z from 'zod';

export const boardRecordName = 'notices/board.json';

const time = z.iso.datetime();

export const Posted = z.object({
  /** Of the message, by which it is known when it comes again. */
  id: z.string(),
  at: time,
  title: z.string(),
  words: z.string(),
  lines: z.array(z.string()),
});
export type Posted = z.infer<typeof Posted>;

/** What stands in the file of notices, and what is known of that file. */
export const BoardRecord = z.object({
  /** The newest first. */
  notices: z.array(Posted),
  fileId: z.string().optional(),
  /** Of a file that was made, or is about to be. */
  ownId: z.string().optional(),
  /** When the file was last written. */
  writtenAt: time.optional(),
  /** Why it could not be, and what a person can do about it. */
  problem: z.object({ since: time, words: z.string() }).optional(),
});
export type BoardRecord = z.infer<typeof BoardRecord>;

const mostNotices = 100;

/** @returns the very same record if it is posted already */
export function post(board: BoardRecord, posted: Posted): BoardRecord {
  const { notices } = board;
  const isThere = ({ id, at, words }: Posted) =>
    id === posted.id || (at === posted.at && words === posted.words);
  if (notices.some(isThere)) return board;
  // They come in any order.
  const sorted = [posted, ...notices].sort((one, other) => (one.at < other.at ? 1 : -1));
  return { ...board, notices: sorted.slice(0, mostNotices) };
}
