import { expect, test } from '@jest/globals';
import { readFolder } from '../../../shared/storage/readFolder.ts';
import { BadRecord, type Records } from '../../../shared/storage/records.ts';

const records = {
  async *list(folder: string) {
    for (const id of ['a', 'b', 'c', 'd']) yield `${folder}${id}.json`;
  },
} as unknown as Records;

test('records are read in their order; a bad one is named, and one that has gone meanwhile is left out', async () => {
  const read = async (id: string) => {
    if (id === 'b') throw new BadRecord('no time');
    return id === 'c' ? undefined : id.toUpperCase();
  };
  expect(await readFolder(records, 'jobs/', read)).toEqual({
    found: ['A', 'D'],
    unreadable: [{ id: 'b', reason: 'no time' }],
  });
});

test('no answer is no bad record: there may well be one', async () => {
  const read = async () => {
    throw new Error('503');
  };
  await expect(readFolder(records, 'jobs/', read)).rejects.toThrow('503');
});
