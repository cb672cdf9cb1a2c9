import { expect, test } from '@jest/globals';
import { forgetRequests, requestsAt } from '../kit.ts';
import { at, inserted, place, released, useJobs } from './useJobs.ts';

const used = useJobs();
const job = (name: string) => `{name: ${name}, repository: "https://h/r", command: make}`;

test('cancel waits until nothing is left of a job, and tells of its machine', async () => {
  const { id } = await used.job(job('Runs'), place(1), inserted(1, 2));
  const refused = await used.run(['cancel', id]);
  expect(refused).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/ is meant\. Say so with --yes\.\n$/),
  });
  expect((await used.read(id))?.cancelRequestedAt).toBeUndefined();

  await forgetRequests(used.cloud);
  const late = await used.run(['cancel', id, '--yes', '--timeout', '0.001']);
  expect(late).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/… its machine is being removed\n.* is not cancelled yet; it will be/),
  });
  expect(
    (await requestsAt(used.cloud, 'pubsub')).some(({ url }) => url.endsWith('/job-requested:publish')),
  ).toBe(true);

  const waiting = used.run(['cancel', id, '--yes']);
  await used.happens(id, released(1, 902));
  expect(await waiting).toMatchObject({
    code: 0,
    out: `✓ ${id} is cancelled, and nothing of it is left. Its cost: $1.00.\n`,
  });
});

test('a job without a machine is cancelled at once; one that is over stays as it was', async () => {
  const waits = await used.job(job('Waits'), place(1), {
    ...{ at: at(2), type: 'wait', attempt: 1, retryAt: at(99), reason: 'sold out' },
  });
  const over = await used.job(job('Over'), { type: 'refuse', reason: 'too dear', at: at(1) });
  const [gone, stays] = await Promise.all([
    used.run(['cancel', waits.id, '--yes', '--json']),
    used.run(['cancel', over.id, '--yes']),
  ]);
  expect({ ...gone, out: JSON.parse(gone.out) }).toMatchObject({
    ...{ code: 0, out: { id: waits.id, state: 'cancelled', cost: 'nothing' } },
  });
  expect(stays).toMatchObject({ code: 1, out: `${over.id} is over: ✗ refused\n` });
  expect((await used.read(over.id))?.state).toBe('refused');
});
