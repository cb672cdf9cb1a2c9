import { expect, test } from '@jest/globals';
import { useApi } from './useApi.ts';

const api = useApi();

test.each([
  ['/v1/jobs', 'jobs'],
  ['/v1/sessions', 'sessions'],
  ['/v1/exports', 'exports', 'export-00000000dead'],
  ['/v1/dead-letters', 'dead-letters'],
])(
  'what cannot be read of %s is named on each page, with its reason',
  async (path, folder, id = 'broken') => {
    const record = `${folder}/${id}.json`;
    await api.records.write(record, { id }, '0');
    const { status, json } = await api.ask('admin', 'GET', `${path}?pageSize=1`);
    await api.records.remove(record);
    expect(status).toBe(200);
    expect(json.unreadable).toEqual([
      { id, reason: expect.stringContaining(`${record} is not a record as expected`) },
    ]);
    expect(JSON.stringify(json.items)).not.toContain(id);
  },
);
