import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { type Kind, kindOf, sniffedBytes } from '../../shared/annotation/kindOf.ts';

const data = join(import.meta.dirname, '../../../shared/data');
const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));

/** What each file is for a study; tables of events are neither the samples of an eye tracker nor a text to read. */
function expected(name: string): Kind {
  if (/\.jpg$/.test(name)) return 'image';
  if (/\.asc|gaze\.csv|lund2013.*tsv|tobii.*tsv|_physio\.tsv/.test(name)) return 'recording';
  if (/\.json$/.test(name)) return 'other';
  return /SOURCES\.md$/.test(name) ? 'text' : 'other';
}

test('the reference data is there', () => expect(files.length).toBeGreaterThan(30));

test.each(files.filter((name) => !/events|fixations\.csv|blinks/.test(name)))('%s', async (name) => {
  const bytes = readFileSync(join(data, name));
  expect(await kindOf(name, bytes.subarray(0, sniffedBytes))).toBe(expected(name));
});

test.each(files.filter((name) => name.endsWith('.asc.gz') || name.endsWith('_physio.tsv.gz')))(
  '%s, without gzip',
  async (name) => {
    const bytes = gunzipSync(readFileSync(join(data, name)));
    expect(await kindOf(name.replace(/\.gz$/, ''), bytes.subarray(0, sniffedBytes))).toBe('recording');
  },
);

test.each(files.filter((name) => /events.*tsv|events\.csv|fixations\.csv|blinks/.test(name)))(
  '%s is not taken for a text',
  async (name) => {
    const bytes = readFileSync(join(data, name)).subarray(0, sniffedBytes);
    expect(['recording', 'other']).toContain(await kindOf(name, bytes));
  },
);
