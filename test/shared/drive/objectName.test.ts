import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { objectNameOf, pathOfObject } from '../../../shared/drive/objectName.ts';
import { Unprocessable } from '../../../shared/unprocessable.ts';

const awkward = fc.constantFrom(
  '.',
  '..',
  '%',
  '%2F',
  '/',
  '\\',
  '\r\n',
  '\0',
  '\u007f',
  'a/b',
  'é',
  'e\u0301',
  '🙂',
);
const anyName = fc.oneof(awkward, fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }));
const anyPath = fc.array(anyName, { minLength: 1, maxLength: 5 });

test('the Drive names can be read back from an object name, whatever they are', () => {
  fc.assert(fc.property(anyPath, (path) => expect(pathOfObject(objectNameOf(path))).toEqual(path)));
});

test('two paths never share an object name', () => {
  fc.assert(
    fc.property(anyPath, anyPath, (one, other) => {
      fc.pre(JSON.stringify(one) !== JSON.stringify(other));
      expect(objectNameOf(one)).not.toBe(objectNameOf(other));
    }),
  );
});

test('an object name is one that a bucket takes', () => {
  fc.assert(
    fc.property(anyPath, (path) => {
      const name = objectNameOf(path);
      expect(name).toMatch(/^[^\r\n\0]+$/u);
      expect(Buffer.from(name).toString()).toBe(name);
      expect(name.split('/')).toHaveLength(path.length);
      for (const segment of name.split('/')) expect(['', '.', '..']).not.toContain(segment);
    }),
  );
});

test.each([
  [['study', 'a.png'], 'study/a.png'],
  [['a/b', '100 %.txt'], 'a%2Fb/100 %25.txt'],
  [['..', '.', '...'], '%2E%2E/%2E/...'],
  [['line\r\nbreak'], 'line%0D%0Abreak'],
  [['Übung', '日本.png'], 'Übung/日本.png'],
])('%j becomes %s', (path, name) => {
  expect(objectNameOf(path)).toBe(name);
});

test('a path may have 1,024 bytes as an object name, and not one more', () => {
  expect(objectNameOf(['ü'.repeat(512)])).toHaveLength(512);
  expect(() => objectNameOf(['ü'.repeat(512), 'a'])).toThrow(Unprocessable);
  expect(() => objectNameOf(['%'.repeat(342)])).toThrow(Unprocessable);
});

test('a name that is empty, or half a character, cannot be an object name and is refused', () => {
  expect(() => objectNameOf([''])).toThrow(Unprocessable);
  expect(() => objectNameOf(['folder', ''])).toThrow(Unprocessable);
  expect(() => objectNameOf(['\ud83d.png'])).toThrow(Unprocessable);
});
