import { beforeAll, expect, test } from '@jest/globals';
import { type Units, unitsPerDay } from '../../../shared/annotation/units.ts';
import { clients } from '../../../shared/clients.ts';
import { type Records, recordsIn } from '../../../shared/storage/records.ts';
import { forgetRequests, requestsAt, setFaults } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();
let records: Records;
let day = 1;
let today: Date;

beforeAll(async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  records = recordsIn(storage, 'state', async () => {});
});

/** An instance of a function with its own view of the ceiling; each test has a day of its own. */
const instance = (vision = 20, language = 100): Units =>
  unitsPerDay(records, { vision, language }, { now: () => today });
const nextDay = () => {
  today = new Date(Date.UTC(2026, 0, day++, 12));
};

test('fifty at once take what there is and not one unit more', async () => {
  nextDay();
  const units = instance();
  const answers = await Promise.all(Array.from({ length: 50 }, () => units.take('vision', 3)));
  expect(answers.filter(Boolean)).toHaveLength(6);
  expect(await units.take('vision', 2)).toBe(true);
  expect(await units.take('vision', 1)).toBe(false);
});

test('the ceiling holds over several instances', async () => {
  nextDay();
  const instances = Array.from({ length: 4 }, () => instance());
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => (instances[i % 4] as Units).take('vision', 1)),
  );
  expect(answers.filter(Boolean)).toHaveLength(20);
});

test('what is asked at once is written at once', async () => {
  nextDay();
  const units = instance(1000);
  await forgetRequests(cloud);
  await Promise.all(Array.from({ length: 50 }, () => units.take('vision', 1)));
  const writes = (await requestsAt(cloud, 'storage')).filter(({ method }) => method === 'POST');
  expect(writes.length).toBeLessThanOrEqual(2);
});

test('the two services have ceilings of their own, and a stimulus beyond a ceiling takes nothing', async () => {
  nextDay();
  const units = instance(5, 5);
  expect(await units.take('vision', 6)).toBe(false);
  expect(await units.take('vision', 5)).toBe(true);
  expect(await units.take('language', 5)).toBe(true);
  expect(await units.take('language', 1)).toBe(false);
});

test('units that were given back can be taken again, and never make more than the ceiling', async () => {
  nextDay();
  const units = instance(5);
  await units.take('vision', 5);
  await units.giveBack('vision', 2);
  expect(await units.take('vision', 3)).toBe(false);
  expect(await units.take('vision', 2)).toBe(true);
  await units.giveBack('vision', 100);
  expect(await units.take('vision', 6)).toBe(false);
  expect(await units.take('vision', 5)).toBe(true);
});

test('a new day has units again, and a ceiling of zero none on any day', async () => {
  nextDay();
  expect(await instance(1).take('vision', 1)).toBe(true);
  expect(await instance(1).take('vision', 1)).toBe(false);
  nextDay();
  expect(await instance(1).take('vision', 1)).toBe(true);
  expect(await instance(0).take('language', 1)).toBe(true);
  expect(await instance(0).take('vision', 1)).toBe(false);
});

test('when the record cannot be reached nothing is granted, and the next one is asked anew', async () => {
  nextDay();
  const units = instance();
  await setFaults(cloud, { service: 'storage', kind: 'status', status: 403, reason: 'forbidden' });
  await expect(units.take('vision', 1)).rejects.toThrow();
  await setFaults(cloud);
  expect(await units.take('vision', 20)).toBe(true);
});
