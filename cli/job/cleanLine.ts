import { stripVTControlCharacters } from 'node:util';
import { clean } from '../../shared/clean.ts';

/**
 * A line of a log for a terminal. Programs colour what they print, and draw progress bars by going back to the beginning
 * of the line: what would be left standing there is kept.
 */
export function cleanLine(line: string): string {
  const drawn = line.replace(/\r+$/, '');
  const last = drawn.slice(drawn.lastIndexOf('\r') + 1);
  return stripVTControlCharacters(last).split('\t').map(clean).join('\t');
}
