import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { readJobRecord } from '../../shared/jobs/changeJob.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openSessions, type Sessions } from '../sessions/sessionKit.ts';
import { gazeline, type RunOptions } from './gazeline.ts';

const cloud = useLocalCloud();
let sessions: Sessions;
beforeAll(async () => {
  sessions = await openSessions(cloud);
  const { topics } = (await clients.pubsub()).projects;
  for (const topic of ['session-requested', 'job-requested'])
    await topics.create({ name: `projects/${cloud.project}/topics/${topic}` });
});
afterEach(() => sessions.clear());

const run = (args: string[], options?: RunOptions) => gazeline(['session', ...args], options);
/** The verb and, beside it, the function that hears of it; the verb has to have asked first. */
async function with_(name: string, args: string[]) {
  const running = run(args);
  let isOver = false;
  void running.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await sessions.start(name).catch(() => {});
    await new Promise((done) => setTimeout(done, 50));
  }
  return running;
}

test('start says what it may cost, asks, tells of each zone, and gives the link; stop and delete say what stays', async () => {
  const wish = ['--accelerator', 'L4', '--region', 'europe-west4', '--hours', '4', '--owner', 'ada@lab.org'];
  const refused = await run(['start', 'pupils', ...wish]);
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.err).toMatch(
    /^pupils, of ada@lab\.org\n\$\d\.\d+ an hour for L4 \(g2-standard-8\) in europe-west4-[abc], with disks of 250 GB: at most \$\d+\.\d\d for 4 hours; while it is stopped its disks cost \$27\.50 a month \(list prices of .*\)\..*nothing was started\. Say so with --yes\.\n$/s,
  );
  expect((await run(['list'])).out).toBe('There is no session. npx gazeline session start NAME makes one.\n');

  await setFaults(cloud, { service: 'compute', kind: 'stockOut', times: 1 });
  const started = await with_('pupils', ['start', 'pupils', ...wish, '--yes']);
  expect(started.code).toBe(0);
  expect(started.err).toMatch(
    / {2}europe-west4-.: It is sold out in this zone\n( {2}asks for g2-standard-8 in europe-west4-.\n)? {2}▸ running/,
  );
  expect(started.out).toMatch(
    /^✓ pupils runs\. Open it: http:.*session-pupils\nIt is stopped after 4 hours, or 60 minutes without use; while it is stopped its disks cost \$27\.50 a month\.\n$/,
  );
  const shown = await run(['show', 'pupils']);
  expect(shown.out).toMatch(
    /^pupils {2}▸ running.*owner +ada@lab\.org.*Where there was none\n.*sold out.*History/s,
  );
  expect(JSON.parse((await run(['list', '--json'])).out)).toMatchObject([
    { name: 'pupils', state: 'running', cost: { perMonthStopped: 27.5 } },
  ]);

  const stopped = await with_('pupils', ['stop', 'pupils']);
  expect(stopped).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /^✓ pupils is stopped\. Its 250 GB are kept: while it is stopped its disks cost \$27\.50/,
    ),
  });
  expect((await run(['list'])).out).toMatch(/│ pupils +│ ada@lab\.org │ ■ stopped │ .*│ \$27\.50 a month │/);
  const kept = await run(['delete', 'pupils']);
  expect(kept).toMatchObject({
    code: 2,
    err: expect.stringMatching(/its disk of 100 GB goes as well.*Say so with --yes/s),
  });
  const gone = await with_('pupils', ['delete', 'pupils', '--yes']);
  expect(gone).toMatchObject({ code: 0, out: '✓ pupils is deleted, with its disks.\n' });
  expect(await run(['resume', 'pupils'])).toMatchObject({
    code: 2,
    err: 'pupils is deleted: start it anew.\n',
  });
});

test('what cannot be is said in a line each, and what fails has exit code 1', async () => {
  expect(await run(['start', 'Pupils', '--accelerator', 'v5e-4', '--yes'])).toMatchObject({
    code: 2,
    err: 'name: expected lower-case letters, digits and -, beginning with a letter\naccelerators.0: a session has no TPU; submit a job\n',
  });
  expect(await run(['show', '../../access'])).toMatchObject({
    code: 2,
    err: 'There is no session ../../access. npx gazeline session list shows them.\n',
  });
  expect(await run(['start', 'x', '--owner', 'nobody', '--yes'])).toMatchObject({
    code: 2,
    err: '“nobody” is no e-mail address.\n',
  });
  await setFaults(cloud, { service: 'compute', kind: 'stockOut' });
  const wish = ['start', 'x', '--region', 'us-central1', '--yes'];
  expect(await with_('x', wish)).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^x is ✗ failed: no machine in any of \d zones now; .*again from 20/),
  });
  const later = await run(['start', 'y', '--yes', '--no-wait', '--json']);
  expect(later.code).toBe(0);
  expect(JSON.parse(later.out)).toMatchObject({ name: 'y', state: 'placing' });
});

test('a session is prolonged, and what that may cost at most is said', async () => {
  await sessions.place('pupils', { regions: ['europe-west4'], hours: 4 });
  expect(await run(['prolong', 'pupils', '--hours', '2'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /^✓ pupils is stopped in (5|6) hours, .*\. That is at most \$\d+\.\d+ more\.\n$/,
    ),
  });
  expect(await run(['prolong', 'pupils', '--hours', '168'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /^pupils ends at .*, and may be prolonged to a week from now at the most: by 16\d.* hours more\.\n$/,
    ),
  });
});

test('a notebook of a session is run as a job with what the session has', async () => {
  const repository = 'https://github.com/lab/analysis';
  await sessions.ask('analysis', { repository, accelerators: ['L4'], data: ['raw/recordings/'], hours: 3 });
  await sessions.ask('bare');
  const args = [
    'run',
    'analysis',
    'look.ipynb',
    '-p',
    'epochs=40',
    '-p',
    'who=P01',
    '--pip',
    'requirements.txt',
  ];
  const ran = await run([...args, '--yes', '--json']);
  expect(ran).toMatchObject({ code: 0, err: expect.stringContaining('analysis look.ipynb\n') });
  const { id } = JSON.parse(ran.out) as { id: string };
  expect((await readJobRecord(sessions.records, id))?.job).toMatchObject({
    ...{ repository, notebook: 'look.ipynb', parameters: { epochs: 40, who: 'P01' } },
    ...{ environment: { pip: 'requirements.txt' }, accelerators: [{ gpu: 'L4', count: 1 }] },
    ...{ inputs: [{ bucket: 'raw', prefix: 'recordings/' }], limits: { hours: 3 } },
  });
  const wrong = await Promise.all([
    run(['run', 'bare', 'look.ipynb', '--yes']),
    run(['run', 'analysis', '../look.ipynb', '-p', 'epochs', '--yes']),
    run(['run', 'analysis', '../look.ipynb', '--yes']),
  ]);
  expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2]);
  expect(wrong.map(({ err }) => err)).toEqual([
    'bare has no repository, so that no other machine can have the notebook.\n',
    '“epochs” is no parameter. Write it as epochs=40.\n',
    expect.stringMatching(/^notebook: “..\/look.ipynb”: expected a path/),
  ]);
});
