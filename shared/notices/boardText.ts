import { clean } from '../clean.ts';
import type { BoardRecord, Posted } from './board.ts';

/** The whole file, in Markdown that can be read as it is: Drive shows such a file as plain text. */
export const boardText = ({ notices }: BoardRecord, project: string): string =>
  `${[
    '# Gazeline notices',
    `What the budget guard and the idle stop of ${project} have done, the newest first. This file is written anew each time: what is changed in it by hand is lost.`,
    ...notices.map(noticeText),
  ].join('\n\n')}\n`;

const noticeText = ({ at, title, words, lines }: Posted): string =>
  [
    `## ${at.slice(0, 16).replace('T', ' ')} UTC: ${plain(title)}`,
    plain(words),
    ...(lines.length > 0 ? [lines.map((line) => `- ${plain(line)}`).join('\n')] : []),
  ].join('\n\n');

/** Names and reasons are anybody's: none becomes a link, a picture or a tag. */
const plain = (text: string): string =>
  clean(text).replaceAll('<', '‹').replaceAll('>', '›').replaceAll('](', '] (').replaceAll('`', '’');
