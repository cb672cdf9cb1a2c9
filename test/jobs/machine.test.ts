import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { isEnd } from '../../shared/jobs/jobRecord.ts';
import { startupScript } from '../../shared/machines/startupScript.ts';
import { makeRepository } from '../deploy/google/machine/runMachine.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { type Jobs, openJobs, statesOf } from './jobKit.ts';

const cloud = useLocalCloud();
// Two machines that really start, beside other tests.
jest.setTimeout(90_000);
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
beforeEach(() => jobs.clear());

const job = (more: object = {}) => ({
  repository: repository.url,
  ref: 'main',
  command: undefined,
  script: 'train.sh',
  inputs: ['raw/recordings/'],
  checkpoints: 'checkpoints',
  ...more,
});

/** What reports and events do by themselves, until it is so. */
async function hearUntil(id: string, isIt: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 50_000; !(await isIt()); await sleep(100)) {
    if (Date.now() > end) throw new Error(JSON.stringify(await jobs.read(id), null, 1));
    await jobs.listen(id);
    await jobs.deliver();
  }
}
const isOver = (id: string) => async () => isEnd((await jobs.read(id)).state);
const text = async (name: string) => String((await jobs.derived.file(name).download())[0]);

test('11. preempted in the middle, with the real start-up script: the second attempt goes on from the checkpoint', async () => {
  await jobs.raw.file('recordings/1.csv').save('one\n');
  await jobs.raw.file('recordings/2.csv').save('two\n');
  const id = await jobs.submit(job());
  await jobs.deliver();
  const saved = jobs.derived.file(`jobs/${id}/checkpoints/step`);
  await hearUntil(id, async () => (await saved.exists())[0]);
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
  expect(await text(`jobs/${id}/attempts/2/log/000001.txt`)).toContain('restored 1 checkpoint files');
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
