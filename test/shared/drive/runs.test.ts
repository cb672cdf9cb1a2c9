import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../../shared/clients.ts';
import { listRuns, noteRun, runId, tallies } from '../../../shared/drive/runs.ts';
import { type Records, recordsIn } from '../../../shared/storage/records.ts';
import { useLocalCloud } from '../../localCloud.ts';

useLocalCloud();
const now = Date.parse('2026-11-25T12:00:00.000Z');
const day = 86_400_000;
let records: Records;
beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state');
  for (const days of [400, 20, 3, 0.5]) {
    const date = new Date(now - days * day);
    const run = { kind: 'drain', startedAt: date.toISOString(), looked: days, asked: 0, units: 0 } as const;
    await noteRun(records, runId('drain', date), run);
  }
});

test('the last runs are found without a look at those of years, and all of them if they are few', async () => {
  const looked: string[] = [];
  const counted: Records = {
    ...records,
    async *list(prefix, from) {
      for await (const name of records.list(prefix, from)) {
        looked.push(name);
        yield name;
      }
    },
  };
  expect((await listRuns(counted, 1, now)).map(({ looked }) => looked)).toEqual([0.5]);
  expect(looked).toHaveLength(1);
  expect((await listRuns(records, 2, now)).map(({ looked }) => looked)).toEqual([0.5, 3]);
  expect((await listRuns(records, 20, now)).map(({ looked }) => looked)).toEqual([0.5, 3, 20, 400]);
});

test('what is done while the tally is being written is counted as well', async () => {
  const run = runId('drain', new Date(now));
  const more: Promise<void>[] = [];
  const { begin } = tallies({
    ...records,
    write(...args) {
      if (more.length === 0) more.push(begin(run)({ did: 'held', reason: 'one' }));
      return records.write(...args);
    },
  });
  await begin(run)({ did: 'synced', bytes: 1 });
  await Promise.all(more);
  await begin(run)({ did: 'synced', bytes: 1 });
  const [report] = await listRuns(records, 1, now);
  expect(report).toMatchObject({ id: run, counts: { synced: 2, held: 1 }, bytes: 2, reasons: { one: 1 } });
});
