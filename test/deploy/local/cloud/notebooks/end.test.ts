import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { startCloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { quick, setCompute } from '../compute/kit.ts';
import { clientOf, create, parentOf, setNotebooks } from './kit.ts';

test('when the cloud has ended and begins again, instances are stopped, and what was under way is over', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
  try {
    const before = await startCloud({ dir });
    await setCompute(before, quick);
    await create(before, 'notebook');
    await setNotebooks(before, { registering: 60_000 });
    const { data: begun } = await clientOf(before).instances.create({
      parent: parentOf(before),
      instanceId: 'late',
      requestBody: {},
    });
    expect(begun.done).toBe(false);
    await before.close();

    const after = await startCloud({ dir });
    const { data } = await clientOf(after).instances.list({ parent: parentOf(after, '-') });
    expect(data.instances?.map(({ name, state }) => [name?.split('/').at(-1), state])).toEqual([
      ['late', 'STOPPED'],
      ['notebook', 'STOPPED'],
    ]);
    const { data: operation } = await clientOf(after).operations.get({ name: begun.name ?? '' });
    expect(operation).toMatchObject({ done: true, response: { state: 'STOPPED' } });
    await after.close();
  } finally {
    await rm(dir, { recursive: true });
  }
});
