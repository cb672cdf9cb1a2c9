import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { kindOf } from '../../../shared/annotation/kindOf.ts';

const png = Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001080600000', 'hex');
const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
const asc = `** CONVERTED FROM /lab/s01.edf using edfapi 4.2
** DATE: Mon Nov 23 10:00:00 2026
**
MSG\t1000 TRIALID 1
START\t1001 \tLEFT\tSAMPLES\tEVENTS
1001\t  512.3\t  384.1\t  900.0\t...
1002\t   .\t   .\t    0.0\t...
`;
const gaze = `timestamp\tx\ty\n${Array.from({ length: 50 }, (_, i) => `${i * 2}\t${512 + i}.25\t384.5\n`).join('')}`;
const prose = 'The lighthouse keeper climbed the stairs. It was late, and the lamp had to be lit.\n';

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

test.each<[string, string | Buffer]>([
  ['image', png],
  ['image', jpeg],
  ['pdf', '%PDF-1.7\n%âãÏÓ\n1 0 obj\n'],
  ['recording', asc],
  ['recording', gaze],
  ['text', prose],
])('what it is follows from the content, not from the name: %s', async (kind, content) => {
  for (const name of ['a', 'a.bin', 'a.txt']) expect(await kindOf(name, Buffer.from(content))).toBe(kind);
});

test.each<[string, string | Buffer]>([
  ['story.txt', prose],
  ['notes.md', `# Notes\n\n- one word\n- another word\n\n${prose}`],
  ['scene.txt', `[A bell rings] ${prose}`],
  ['japanese.txt', '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。'],
  ['arabic.txt', 'كان يا ما كان في قديم الزمان ملك عادل'],
  ['devanagari.txt', 'एक समय की बात है, एक राजा था।'],
  ['windows.txt', utf16(prose)],
  ['big-endian.txt', utf16(prose).swap16()],
  ['bom.txt', `\ufeff${prose}`],
  ['one word.txt', 'Haus'],
  ['bmw.txt', 'BMW builds cars in Munich.'],
  ['mz.txt', 'MZ was a maker of motorcycles.'],
])('%s is a text', async (name, content) => {
  expect(await kindOf(name, Buffer.from(content))).toBe('text');
});

test('a text that is not UTF-8 is a text all the same, so that a person is told', async () => {
  expect(await kindOf('latin1.txt', Buffer.from('Für die Straße über den Fluss.', 'latin1'))).toBe('text');
});

test.each<[string, string | Buffer]>([
  ['s01.asc', Buffer.from(asc.replace('TRIALID', 'Übung'), 'latin1')],
  ['s02.asc', asc.slice(asc.indexOf('** DATE'))],
  ['s03.asc', utf16(asc)],
  ['s04.asc.gz', gzipSync(asc)],
  ['sub-01_physio.tsv.gz', gzipSync(gaze)],
  ['decimal-comma.csv', 'time;x;y\n1;512,25;384,5\n2;512,5;384,75\n3;513;385\n4;513,5;385\n5;514;385\n'],
  ['missing.csv', 'time,x,y\n1,NaN,NaN\n2,,\n3,NaN,nan\n4,1.5e2,-3\n5,.5,-.25\n6,1,2\n'],
  ['cr.tsv', gaze.replaceAll('\n', '\r')],
])('%s is a recording', async (name, content) => {
  expect(await kindOf(name, Buffer.from(content))).toBe('recording');
});

test.each<[string, string | Buffer]>([
  ['sub-01_physio.json', '{ "SamplingFrequency": 500, "Columns": ["x", "y"] }'],
  ['sidecar', '{ "SamplingFrequency": 500, "Manufacturer": "a maker of eye trackers" }'],
  ['list', '[{"x": 1, "label": "a word"}]'],
  ['page', '<!doctype html><p>Some words in a page of markup</p>'],
  ['drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg"><text>words</text></svg>'],
  ['gazeline.yaml', 'annotate:\n  images: [text]\n'],
  ['words.csv', 'word,category\nhouse,concrete\nfreedom,abstract\nriver,concrete\n'],
  ['participants.tsv', 'participant_id\tname\tsex\nsub-01\tAnna\tF\nsub-02\tBoris\tM\n'],
  ['analysis.py', 'import numpy as np\n\ndef velocity(gaze):\n    return np.diff(gaze)\n'],
  ['analysis.R', 'library(eyelinker)\ndata <- read.asc("s01.asc")\nplot(data)\n'],
  ['task.cpp', 'int main() {\n  show(picture);\n  return wait();\n}\n'],
  ['experiment.psyexp', 'PsychoPy experiment, version and settings and routines'],
  ['binary.dat', Buffer.from([1, 2, 3, 4, 0, 0, 0, 250, 251, 252])],
  ['empty', ''],
  ['blank.txt', ' \n\t\n'],
  ['numbers.txt', '3.14159 2.71828\n'],
  ['words.gz', gzipSync(prose)],
  ['broken.gz', gzipSync(gaze).subarray(0, 12)],
  ['archive.zip', Buffer.from('504b0304140000000800', 'hex')],
])('%s is none of our business', async (name, content) => {
  expect(await kindOf(name, Buffer.from(content))).toBe('other');
});

test('a beginning that ends in the middle of a character is read as far as it goes', async () => {
  expect(await kindOf('a.txt', Buffer.from(`${prose}ü`).subarray(0, -1))).toBe('text');
});

test('no bytes whatever are an error', async () => {
  const headers = fc.constantFrom(
    '',
    '89504e470d0a1a0a',
    'ffd8ff',
    '1f8b0800',
    '504b0304',
    'fffe',
    'efbbbf',
    '424d',
  );
  await fc.assert(
    fc.asyncProperty(headers, fc.uint8Array({ maxLength: 300 }), async (header, bytes) => {
      const kind = await kindOf('x', Buffer.concat([Buffer.from(header, 'hex'), bytes]));
      expect(['image', 'text', 'pdf', 'recording', 'other']).toContain(kind);
    }),
    { numRuns: 300 },
  );
});

test('a small file that would inflate to very much is looked at without inflating it all', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '1\t2\t3\n')).subarray(0, 16 * 1024);
  const before = process.memoryUsage().rss;
  expect(await kindOf('bomb.gz', bomb)).toMatch(/recording|other/);
  expect(process.memoryUsage().rss - before).toBeLessThan(40 * 1024 * 1024);
});
