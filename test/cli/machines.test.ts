import { beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { quick, setCompute, zone } from '../deploy/local/cloud/compute/kit.ts';
import { at, node, nodeAt, quick as quickTpu, setTpu, untilNode } from '../deploy/local/cloud/tpu/kit.ts';
import { openIdle } from '../functions/idleKit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { gazeline } from './gazeline.ts';

const cloud = useLocalCloud();
let idle: Awaited<ReturnType<typeof openIdle>>;
beforeAll(async () => {
  idle = await openIdle(cloud);
  await setCompute(cloud, quick);
  await idle.setTime();
});

test('machines shows what each costs, whether it is idle, what becomes of it, when and why', async () => {
  expect(await gazeline(['machines'])).toEqual({ code: 0, out: 'There is no machine.\n', err: '' });
  const labels = { 'gazeline-protect': 'yes' };
  await idle.start('a', { machineType: `zones/${zone}/machineTypes/n1-standard-8` });
  await idle.start('b', { labels });
  await idle.start('c', { machineType: `zones/${zone}/machineTypes/e2-micro` });
  await idle.load('c', 0.5);
  const job = { 'gazeline-lab': 'gazeline', 'gazeline-job': 'fit-0a1b2c3d' };
  await idle.start('gazeline-fit-0a1b2c3d-1', { labels: job });
  await idle.sweep();
  await idle.start('new');
  const { code, out, err } = await gazeline(['machines']);
  expect([code, err]).toEqual([0, '']);
  const lines = Object.fromEntries(
    out.split('\n').flatMap((line) => {
      const [, name, rest] = new RegExp(`│ ${zone}/([\\w-]+) *│ (.*) *│`).exec(line) ?? [];
      return name && rest ? [[name, rest.replace(/ *│ */g, ' | ').trim()]] : [];
    }),
  );
  expect(lines).toEqual({
    a: expect.stringMatching(
      /^RUNNING \| .* s \| \$0\.\d{4} \| idle, is stopped in 6 hours: nothing has happened for 60 min, CPU at most 2 %, no agent$/,
    ),
    b: expect.stringMatching(/\| stays: it is labelled gazeline-protect \(.*\)$/),
    c: expect.stringMatching(/\| unknown \| stays: its CPU was at 50 % \(.*\)$/),
    'gazeline-fit-0a1b2c3d-1': expect.stringMatching(/\| works on the job fit-0a1b2c3d$/),
    new: expect.stringMatching(/\| not looked at yet$/),
  });
});

test('a TPU that somebody made by hand is shown with what it costs, and why it stays', async () => {
  const { projects } = await clients.tpu();
  await setTpu(cloud, quickTpu);
  const body = node('sleep 100', {});
  await projects.locations.nodes.create({ parent: at(cloud), nodeId: 'by-hand', requestBody: body });
  await untilNode(cloud, projects.locations, 'by-hand', 'READY');
  const { code, out } = await gazeline(['machines']);
  expect(code).toBe(0);
  expect(out).toMatch(
    /us-west4-a\/by-hand *│ READY *│ .* │ \$[\d.]+ *│ stays: whether a TPU is in use cannot be told/,
  );
  const { machines } = JSON.parse((await gazeline(['machines', '--json'])).out) as { machines: object[] };
  expect(machines).toContainEqual(
    expect.objectContaining({ kind: 'tpu', name: 'by-hand', perHour: expect.any(Number) }),
  );
  expect(await gazeline(['machines', 'keep', 'by-hand'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /^us-west4-a\/by-hand is a TPU that no job of the lab made\. .*nothing to keep it from/,
    ),
  });
  await projects.locations.nodes.delete(nodeAt(cloud, 'by-hand'));
});

test('machines --json has the evidence, and 1 says that not all could be seen', async () => {
  const { code, out } = await gazeline(['machines', '--json']);
  expect(code).toBe(0);
  const { machines } = JSON.parse(out) as { machines: { name: string }[] };
  expect(machines.find(({ name }) => name === 'a')).toMatchObject({
    zone,
    status: 'RUNNING',
    perHour: expect.any(Number),
    decision: {
      do: 'warn',
      reason: 'idle',
      stopAt: expect.any(String),
      evidence: {
        cpu: { kind: 'measured', samples: 60, expected: 60, most: 0.02 },
        heartbeat: { kind: 'none' },
      },
    },
  });
  expect(machines.find(({ name }) => name === 'c')).toMatchObject({ perHour: null });
  await setCompute(cloud, { ...quick, unreachableZones: ['us-central1-a'] });
  const partial = await gazeline(['machines']);
  expect(partial.code).toBe(1);
  expect(partial.err).toBe('These did not answer, and what is there is not known: us-central1-a\n');
});

test('machines keep protects a machine, and its countdown ends', async () => {
  await setCompute(cloud, quick);
  const day = new Date(Date.now() + 48 * 3_600_000).toISOString().slice(0, 10);
  expect(await gazeline(['machines', 'keep', `${zone}/a`, '--until', day])).toEqual({
    code: 0,
    out: `${zone}/a is kept until the end of ${day}, by its label gazeline-protect-until.\n`,
    err: '',
  });
  await idle.pass(16);
  await idle.sweep();
  expect(await idle.statusOf('a')).toBe('RUNNING');
  expect(await idle.labelsOf('a')).toEqual({ 'gazeline-protect-until': day });
  const wrong = [
    ['nobody', [], 'There is no machine nobody.'],
    ['a', ['--until', 'christmas'], '“christmas” is not a day. Write it as 2026-12-24.'],
    ['a', ['--until', '2020-01-01'], '2020-01-01 is over.'],
  ] as const;
  for (const [name, more, words] of wrong)
    expect(await gazeline(['machines', 'keep', name, ...more])).toEqual({
      code: 2,
      out: '',
      err: `${words}\n`,
    });
});
