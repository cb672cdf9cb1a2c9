import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { instanceRequest } from '../../shared/machines/instanceBody.ts';
import { useLocalCloud } from '../localCloud.ts';
import { type Jobs, openJobs } from './jobKit.ts';

const cloud = useLocalCloud();
let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs(cloud);
});
beforeEach(() => jobs.clear());

test('1. idempotent submit: the same key is one job, also in parallel; with another body it is refused', async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, () => jobs.submit({}, { key: 'mine' })));
  expect(new Set(ids).size).toBe(1);
  expect(await jobs.submit({}, { key: 'mine' })).toBe(ids[0]);
  await jobs.deliver();
  expect(await jobs.inserts()).toHaveLength(1);
  await expect(jobs.submit({ command: 'false' }, { key: 'mine' })).rejects.toThrow(
    'was used for another job',
  );
  expect((await jobs.read(ids[0] ?? '')).job.command).toBe('true');
});

test('2. a duplicate message, one after the other and all at once: exactly one insert reaches the server', async () => {
  const id = await jobs.submit();
  jobs.queue.push({ job: id }, { job: id });
  await jobs.deliver();
  expect(await jobs.inserts()).toHaveLength(1);

  const other = await jobs.submit();
  const all = await Promise.allSettled(Array.from({ length: 5 }, () => jobs.start(other)));
  expect(all.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  const names = (await jobs.inserts()).map(({ body }) => body.name);
  expect(names).toEqual([`gazeline-${id}-1`, `gazeline-${other}-1`]);
  expect((await jobs.read(other)).state).toBe('starting');
});

test('a file in the study folder is a job; its event comes twice and it is one, edited it is another', async () => {
  const save = async (command: string) => {
    const file = jobs.raw.file('study/train.job.yaml');
    await file.save(
      `{name: From a file, repository: "https://h/r", command: "${command}", regions: [europe-west4]}`,
    );
    return { name: file.name, generation: String((await file.getMetadata())[0].generation) };
  };
  const first = await save('one');
  jobs.queue.push(first, first);
  await jobs.deliver();
  expect(await jobs.inserts()).toHaveLength(1);
  jobs.queue.push(await save('two'));
  await jobs.deliver();
  const names = (await jobs.inserts()).map(({ body }) => body.name);
  expect(names).toEqual([expect.stringMatching(/^gazeline-from-a-file-[0-9a-f]{8}-1$/), expect.any(String)]);
  expect(new Set(names).size).toBe(2);
  await expect(jobs.start('nobody')).rejects.toThrow('there is no job nobody');
});

test('4. a dead-man switch in the insert: the machine and its disk end whatever becomes of Gazeline', async () => {
  for (const spot of ['prefer', 'never'])
    await jobs.place({ spot, accelerators: ['T4'], limits: { hours: 2 } });
  const inserts = await jobs.inserts();
  expect(inserts).toHaveLength(2);
  for (const { body } of inserts) {
    expect(body.scheduling).toMatchObject({
      maxRunDuration: { seconds: '7200' },
      instanceTerminationAction: 'DELETE',
      automaticRestart: false,
      onHostMaintenance: 'TERMINATE',
    });
    expect(body.disks).toEqual([expect.objectContaining({ boot: true, autoDelete: true })]);
    expect(body.labels).toEqual({
      'gazeline-lab': 'eye-lab',
      'gazeline-job': expect.stringMatching(/^train-/),
      'gazeline-attempt': '1',
      'gazeline-owner': 'me-lab-org',
    });
  }
});

test('10. estimate first: it is stored before the insert, and above the limit of money nothing is asked for', async () => {
  const id = await jobs.submit({ limits: { hours: 10, money: 100 } });
  const { service } = jobs;
  let before: unknown;
  const machines = async () => ({
    ...service,
    insert: async (request: object, patience: number) => {
      before = (await jobs.read(id)).estimate;
      return service.insert(request, patience);
    },
  });
  await jobs.start(id, { machines });
  // g2-standard-8 as spot in europe-west4, by the table.
  expect(before).toMatchObject({ perHour: 0.383444, most: 3.83444, asOf: expect.stringMatching(/^20\d\d-/) });
  expect((before as { words: string }).words).toContain(
    'with its disk of 100 GB: at most $3.83 for 10 hours',
  );

  const dear = await jobs.submit({ limits: { hours: 10, money: 3.8 } });
  await jobs.start(dear);
  expect(await jobs.read(dear)).toMatchObject({
    state: 'refused',
    reason: expect.stringMatching(/more than its limit of \$3\.80.*Raise limits\.money/),
  });
  expect(await jobs.inserts()).toHaveLength(1);
});

test('10. an unknown price is never zero: with a limit of money it is refused, without one it is said', async () => {
  const { gpus, ...rest } = jobs.starting.prices;
  const prices = { ...rest, gpus: { ...gpus, L4: {} } };
  const limited = await jobs.submit({ limits: { money: 1000 } });
  await jobs.start(limited, { prices });
  expect(await jobs.read(limited)).toMatchObject({
    state: 'refused',
    reason: expect.stringContaining('what its machines cost is not known'),
  });
  const free = await jobs.submit();
  await jobs.start(free, { prices });
  const record = await jobs.read(free);
  expect(record).toMatchObject({
    state: 'starting',
    estimate: { words: expect.stringContaining('is not known') },
  });
  expect(record.estimate).not.toHaveProperty('most');
});

test('a long name and an owner with capitals and @ give a name and labels that Google accepts', async () => {
  const name = `Überlänge ${'of a name '.repeat(6)}!`;
  const id = await jobs.submit({ name }, { owner: `${'Jane.Doe'.repeat(10)}@Lab.ORG` });
  await jobs.deliver();
  const [insert] = await jobs.inserts();
  expect(insert).toMatchObject({ status: 200, body: { name: `gazeline-${id}-1` } });
  expect(insert?.body.name.length).toBeLessThanOrEqual(63);
  expect(insert?.body.labels['gazeline-owner']).toMatch(/^jane-doe[a-z-]{0,55}$/);
  expect((await jobs.read(id)).state).toBe('starting');
});

test.each([
  ['30 seconds', 30 / 3600, '30'],
  ['120 days', 120 * 24, '10368000'],
])('the shortest and the longest run are accepted: %s', async (_name, hours, seconds) => {
  await jobs.place({ limits: { hours } });
  expect((await jobs.inserts())[0]?.body.scheduling).toMatchObject({ maxRunDuration: { seconds } });
});

test('a run that Google would not accept does not leave', async () => {
  for (const hours of [29 / 3600, 120 * 24 + 0.01])
    await expect(jobs.submit({ limits: { hours } })).rejects.toThrow('expected hours, from');
  const record = await jobs.read(await jobs.submit());
  const [candidate] = await import('../../shared/machines/candidates.ts').then(({ candidatesOf }) =>
    candidatesOf(record.job, ['spot'], jobs.starting.prices),
  );
  if (!candidate) throw new Error('no candidate');
  const settings = jobs.starting.settings;
  expect(() => instanceRequest(record, 1, candidate, { seconds: 29, round: 0, settings })).toThrow(
    '29 seconds',
  );
});

test('an image family that is gone ends the job, and says what to change', async () => {
  const id = await jobs.submit();
  const images = {
    gpu: { project: 'deeplearning-platform-release', family: 'common-cu999', minimumDisk: 50 },
  };
  await jobs.start(id, { settings: { ...jobs.starting.settings, images } });
  expect(await jobs.read(id)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining(
      'The image family common-cu999 is gone; name another one in the settings',
    ),
  });
  expect(await jobs.inserts()).toHaveLength(1);
});
