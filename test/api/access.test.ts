import { expect, test } from '@jest/globals';
import { accessIn, accessRecordName } from '../../shared/api/access.ts';
import { clients } from '../../shared/clients.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { rememberLog } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';

useLocalCloud();

async function open(freshness = 0) {
  const storage = await clients.storage();
  const name = `state-${Math.random().toString(36).slice(2)}`;
  await storage.createBucket(name);
  const records: Records = recordsIn(storage, name);
  const log = rememberLog();
  const clock = { now: 0 };
  const callerOf = accessIn(records, { freshness, now: () => clock.now });
  const write = async (content: string) => {
    const file = storage.bucket(name).file(accessRecordName);
    const [isThere] = await file.exists();
    const ifGenerationMatch = isThere ? String((await file.getMetadata())[0].generation) : 0;
    await file.save(content, { resumable: false, preconditionOpts: { ifGenerationMatch } });
  };
  return { write, log, clock, who: (email: string) => callerOf(email, log) };
}

test('a member has a role, and a service account has the person behind it', async () => {
  const { write, who } = await open();
  await write(
    '{"members": {"Ada@lab.edu": "admin", "bob@p.iam.gserviceaccount.com": {"role": "runner", "person": "bob@lab.edu"}}}',
  );
  expect(await who('ada@LAB.edu')).toEqual({ email: 'ada@lab.edu', person: 'ada@lab.edu', role: 'admin' });
  expect(await who('bob@p.iam.gserviceaccount.com')).toMatchObject({ person: 'bob@lab.edu', role: 'runner' });
  expect(await who('eve@lab.edu')).toBeUndefined();
  expect(await who('__proto__')).toBeUndefined();
  expect(await who('constructor')).toBeUndefined();
});

test('what changes in the file is known when what was read is old', async () => {
  const { write, who, clock } = await open(5000);
  await write('{"members": {"ada@lab.edu": "admin"}}');
  expect(await who('ada@lab.edu')).toMatchObject({ role: 'admin' });
  await write('{"members": {"ada@lab.edu": "reader"}}');
  clock.now = 4999;
  expect(await who('ada@lab.edu')).toMatchObject({ role: 'admin' });
  clock.now = 5000;
  expect(await who('ada@lab.edu')).toMatchObject({ role: 'reader' });
});

test.each([
  '{"members": {"ada@lab.edu": "admin", "bob@lab.edu": "owner"}}',
  '{"members": {"ada@lab.edu": "admin", "*": "admin"}}',
  '{"members": ["bob@lab.edu"]}',
  '{"members": {"bob@lab.edu": "admin"}, "everybody": "admin"}',
  '{"members": {"bob@lab.edu": {"role": "admin", "roles": ["reader"]}}}',
  '{"members": {"bob@lab.edu": "admin"}',
  '',
])('a broken file gives nobody more than before, and the log says why: %s', async (broken) => {
  const { write, who, log } = await open();
  await write('{"members": {"ada@lab.edu": "reader"}}');
  await who('ada@lab.edu');
  await write(broken);
  expect(await who('ada@lab.edu')).toMatchObject({ role: 'reader' });
  expect(await who('bob@lab.edu')).toBeUndefined();
  expect(log.entries).toContainEqual(
    expect.objectContaining({ severity: 'ERROR', message: expect.stringContaining('access.json') }),
  );
});

test('a file that was broken from the beginning lets nobody in', async () => {
  const { write, who } = await open();
  await write('nonsense');
  await expect(who('ada@lab.edu')).rejects.toMatchObject({ name: 'Refused', status: 503 });
});

test('without a file nobody is a member', async () => {
  const { who, log } = await open();
  expect(await who('ada@lab.edu')).toBeUndefined();
  expect(log.entries[0]?.message).toMatch('access.json');
});
