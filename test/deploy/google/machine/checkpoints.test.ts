import { setTimeout } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import { forgetRequests, requestsAt } from '../../../kit.ts';
import { runMachine, startMachine, useMachines } from './runMachine.ts';

// A machine takes two or three seconds, where processors are free.
jest.setTimeout(120_000);
const { cloud, command } = useMachines();

/** Counts up from its checkpoint, a step every 0.2 s: five of them, but the first attempt never ends. */
const counter = `
mkdir -p "$GAZELINE_CHECKPOINTS/deep dir"
step=$(cat "$GAZELINE_CHECKPOINTS/deep dir/step" 2>/dev/null || echo 0)
begin=$step; echo "begins at $step"
trap 'echo "told to end"; echo $step >"$GAZELINE_CHECKPOINTS/deep dir/step"; echo yes >"$GAZELINE_CHECKPOINTS/told"; exit 1' TERM
while [ $GAZELINE_ATTEMPT = 1 ] || [ $step -lt $((begin + 5)) ]; do
  sleep 0.2 & wait $!
  step=$((step + 1)); echo $step >"$GAZELINE_CHECKPOINTS/deep dir/step"
  echo "step $step"
done
echo "$step steps" >out/steps`;

test('a machine that is taken back saves its checkpoint, and the next attempt goes on from there', async () => {
  const more = { 'gazeline-checkpoints': 'checkpoints', 'gazeline-checkpoint-seconds': '300' };
  const first = await startMachine(command('preempted', counter, more));
  await first.logged('step 4');
  const began = Date.now();
  first.metadata.preempted = true;
  first.changed();
  const end = await first.left();
  expect(Date.now() - began).toBeLessThan(28_000);
  expect(end.last).toMatchObject({ phase: 'finished', outcome: 'preempted', checkpoint: expect.any(String) });
  expect(end.log).toContain('told to end');
  expect(end.objects.get('checkpoints/told')).toBe('yes\n');
  const reached = end.objects.get('checkpoints/deep dir/step')?.trim();
  expect(Number(reached)).toBeGreaterThanOrEqual(4);
  expect([...end.objects.keys()].filter((name) => name.startsWith('results/'))).toEqual([]);

  const second = await runMachine(command('preempted', counter, { ...more, 'gazeline-attempt': '2' }));
  expect(second.last).toMatchObject({ attempt: 2, outcome: 'succeeded' });
  expect(second.log).toContain(`begins at ${reached}\n`);
  expect(second.objects.get('results/steps')).toBe(`${Number(reached) + 5} steps\n`);
});

test('a machine that is stopped from outside, and was not taken back, reports that it was cancelled', async () => {
  const machine = await startMachine(command('stopped', 'echo begun; sleep 60'));
  await machine.logged('begun');
  machine.signal('SIGTERM');
  const { last } = await machine.left();
  expect(last).toMatchObject({ phase: 'finished', outcome: 'cancelled' });
});

test('checkpoints are saved while the job runs: only what changed, nothing half, and what is rotated away goes', async () => {
  await forgetRequests(cloud);
  const target = `
cd "$GAZELINE_CHECKPOINTS"; echo fixed >fixed; echo 1 >step-1; sleep 3
echo 2 >step-2; rm step-1; (for i in 1 2 3 4 5 6; do printf "part $i,"; sleep 0.5; done >growing); echo written; sleep 3; echo over`;
  const machine = await startMachine(
    command('saved', target, { 'gazeline-checkpoints': 'c', 'gazeline-checkpoint-seconds': '1' }),
  );
  const seen = new Set<string | undefined>();
  for (let ended = false; !ended; ) {
    seen.add((await machine.objects()).get('checkpoints/growing'));
    ended = await Promise.race([machine.ended.then(() => true), setTimeout(100, false)]);
  }
  const { last, objects } = await machine.left();
  expect(last).toMatchObject({ outcome: 'succeeded', checkpoint: expect.any(String) });
  const whole = 'part 1,part 2,part 3,part 4,part 5,part 6,';
  expect([...seen]).toEqual([undefined, whole]);
  expect([...objects.keys()].filter((name) => name.startsWith('checkpoints/'))).toEqual([
    'checkpoints/fixed',
    'checkpoints/growing',
    'checkpoints/step-2',
  ]);
  const uploads = (await requestsAt(cloud, 'storage')).filter(({ url }) =>
    /name=jobs%2Fsaved%2Fcheckpoints%2Ffixed/.test(url),
  );
  expect(uploads.filter(({ url }) => !url.includes('upload_id'))).toHaveLength(1);
});

test('an attempt that lives longer than it should does not write over the checkpoint of a later one', async () => {
  const more = { 'gazeline-checkpoints': 'c', 'gazeline-checkpoint-seconds': '1' };
  const old = await startMachine(
    command('twice', 'echo old >c/step; echo begun; sleep 4; echo older >c/step; sleep 3', more),
  );
  await old.logged('begun');
  await runMachine(command('twice', 'echo new >c/step; exit 1', { ...more, 'gazeline-attempt': '2' }));
  const { objects } = await old.left();
  expect(objects.get('checkpoints/step')).toBe('new\n');
});

test('a machine that nobody else ends keeps to its time by itself, with its checkpoint saved', async () => {
  const more = { 'gazeline-checkpoints': 'checkpoints', 'gazeline-seconds': '8' };
  const { last, objects } = await runMachine(command('limited', counter, more));
  expect(last).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('limit of its time') });
  expect(objects.get('checkpoints/told')).toBe('yes\n');
});
