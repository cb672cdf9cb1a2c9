import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { isEnd } from '../../shared/jobs/jobRecord.ts';
import { startupScript } from '../../shared/machines/startupScript.ts';
import { makeRepository } from '../deploy/google/machine/runMachine.ts';
import { setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { fast, type Jobs, openJobs, statesOf } from './jobKit.ts';

const cloud = useLocalCloud();
// Two machines that really start, beside other tests.
jest.setTimeout(150_000);
let jobs: Jobs;
let repository: { url: string; commit: string };
beforeAll(async () => {
  repository = await makeRepository({
    'train.sh': `
      step=$(cat checkpoints/step 2>/dev/null || echo 0)
      echo "begins at $step"
      while ((step < 6)); do
        step=$((step + 1)); echo $step >checkpoints/step
        [[ $GAZELINE_ATTEMPT == 1 && $step == 3 ]] && { touch waits; sleep 60 & wait; }
      done
      cat raw/recordings/*.csv >results/all.csv
      echo $step >results/step`,
  });
  jobs = await openJobs(cloud, {
    startupScript: await startupScript(),
    reportSeconds: 1,
    checkpointSeconds: 1,
  });
});
beforeEach(async () => {
  await jobs.clear();
  // Of the thirty seconds at Google; its last report needs one or two.
  await setCompute(cloud, { ...fast, shutdown: 20_000 });
});

afterAll(() => rm(fileURLToPath(repository.url), { recursive: true }));

const job = (more: object = {}) => ({
  repository: repository.url,
  ref: 'main',
  command: undefined,
  script: 'train.sh',
  inputs: ['raw/recordings/'],
  checkpoints: 'checkpoints',
  ...more,
});

/** What reports, messages and, now and then, the sweep do by themselves, until it is so. */
async function hearUntil(id: string, isIt: () => Promise<boolean>): Promise<void> {
  const begun = Date.now();
  for (let sweeps = 0; !(await isIt()); await sleep(100)) {
    const waited = Date.now() - begun;
    if (waited > 75_000) throw new Error(JSON.stringify(await jobs.read(id), null, 1));
    await jobs.listen(id);
    await jobs.deliver();
    // A machine that was taken away may have had no time for its last report.
    if (waited > 25_000 + 5000 * sweeps) {
      sweeps++;
      await jobs.pass(1);
    }
  }
}
const isOver = (id: string) => async () => isEnd((await jobs.read(id)).state);
const logOf = async (id: string, attempt: number) => {
  const [pieces] = await jobs.derived.getFiles({ prefix: `jobs/${id}/attempts/${attempt}/log/` });
  return (await Promise.all(pieces.map(({ name }) => text(name)))).join('');
};
const text = async (name: string) => String((await jobs.derived.file(name).download())[0]);

test('11. preempted in the middle, with the real start-up script: the second attempt goes on from the checkpoint', async () => {
  await jobs.raw.file('recordings/1.csv').save('one\n');
  await jobs.raw.file('recordings/2.csv').save('two\n');
  const id = await jobs.submit(job());
  await jobs.deliver();
  const saved = jobs.derived.file(`jobs/${id}/checkpoints/step`);
  await hearUntil(id, async () => (await saved.exists())[0]);
  // A piece of its log goes every few seconds; how much of the rest a machine that is taken away brings, nobody can say.
  await hearUntil(id, async () => (await logOf(id, 1)).includes('begins at 0'));
  await jobs.preempt(id);
  await hearUntil(id, isOver(id));
  const record = await jobs.read(id);
  expect(record).toMatchObject({
    state: 'succeeded',
    commit: repository.commit,
    attempts: [{ outcome: 'preempted' }, { outcome: 'succeeded' }],
  });
  expect(statesOf(record)).toEqual(
    expect.arrayContaining(['queued', 'placing', 'starting', 'running', 'succeeded']),
  );
  expect(await text(`jobs/${id}/results/all.csv`)).toBe('one\ntwo\n');
  expect(await logOf(id, 1)).toContain('begins at 0');
  expect(await logOf(id, 2)).toMatch(/begins at [1-3]/);
  expect(JSON.parse(await text(`jobs/${id}/results/manifest.json`))).toMatchObject({
    attempt: 2,
    commit: repository.commit,
    files: [{ path: 'all.csv' }, { path: 'step' }],
  });
  expect([await jobs.machines(), await jobs.disks()]).toEqual([[], []]);
});

test('12. finished but upload failed, with the real start-up script: its words reach the record', async () => {
  await setFaults(cloud, { service: 'storage', kind: 'status', status: 400, path: '/jobs/[^/]+/results/' });
  const id = await jobs.submit(job({ script: undefined, command: 'echo 7 >results/seven', inputs: [] }));
  await jobs.deliver();
  await hearUntil(id, isOver(id));
  const record = await jobs.read(id);
  expect(record).toMatchObject({ state: 'failed', attempts: [{ outcome: 'results-not-uploaded' }] });
  expect(record.reason).toContain(`unsaved/1`);
  expect(await text(`jobs/${id}/unsaved/1/seven`)).toBe('7\n');
  await jobs.later(16);
  expect(await jobs.machines()).toEqual([]);
});
