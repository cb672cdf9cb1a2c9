import { expect, test } from '@jest/globals';
import { parseJob } from '../../shared/jobs/parseJob.ts';
import { submitJob } from '../../shared/jobs/submitJob.ts';
import { completedJob, put, useApi } from './useApi.ts';

const api = useApi();

const job = { name: 'Scanpaths', repository: 'https://github.com/our-lab/scanpaths', command: 'make' };

test('a job is quoted, submitted for its person, listed, shown, and cancelled', async () => {
  const { json: quote } = await api.ask('reader', 'POST', '/v1/jobs/quote', { body: job });
  expect(quote).toMatchObject({ choice: { do: 'ask' }, offers: [{ isOverLimit: false }] });
  expect(quote.choice.estimate.perHour).toBeGreaterThan(0);
  const { status, json: submitted } = await api.ask('runner', 'POST', '/v1/jobs', { body: job });
  expect([status, submitted]).toEqual([
    201,
    expect.objectContaining({ owner: 'runner@lab.edu', state: 'queued', name: 'Scanpaths' }),
  ]);
  const url = `/v1/jobs/${submitted.id}`;
  expect((await api.ask('reader', 'GET', url)).json).toMatchObject({
    record: { state: 'queued' },
    results: [],
  });
  expect((await api.ask('reader', 'GET', `${url}/logs`)).json).toEqual({
    ...{ attempt: 0, text: '', offset: 0, nextOffset: 0, isComplete: false },
  });
  expect((await api.ask('reader', 'GET', `${url}/results`)).status).toBe(404);
  expect((await api.ask('runner', 'POST', `${url}/retry`)).status).toBe(409);
  expect((await api.ask('runner', 'POST', `${url}/cancel`)).json).toMatchObject({ state: 'cancelled' });
  const { status: again, json: retried } = await api.ask('runner', 'POST', `${url}/retry`);
  expect(again).toBe(201);
  expect(retried.id).not.toBe(submitted.id);
});

test('what is wrong with a job is told field by field', async () => {
  const body = { ...job, accelerators: ['L5'], scripts: 'train.py' };
  const { status, json } = await api.ask('runner', 'POST', '/v1/jobs', { body });
  expect(status).toBe(400);
  expect(json.errors).toContainEqual({
    path: 'body.accelerators[0]',
    message: expect.stringContaining('did you mean “L4”?'),
  });
  expect(json.errors).toContainEqual({
    path: 'body',
    message: expect.stringContaining('did you mean “script”?'),
  });
});

test('a job that would be refused is not submitted', async () => {
  const body = { ...job, name: 'Dear', accelerators: ['L4'], limits: { money: 0.01, hours: 100 } };
  const { status, json } = await api.ask('runner', 'POST', '/v1/jobs', { body });
  expect([status, json.detail]).toEqual([422, expect.stringMatching(/^It would be refused: .+/)]);
});

test('jobs are listed the newest first, page by page, by state and owner', async () => {
  const text = (name: string) => `name: ${name}\nrepository: https://github.com/a/b\ncommand: make\n`;
  for (const [index, name] of ['one', 'two', 'three'].entries())
    await submitJob(
      api.records,
      { job: parseJob(text(name)), key: name, owner: 'zoë' },
      new Date(Date.UTC(2030, 0, 1 + index)),
    );
  const names: string[] = [];
  let token = '';
  do {
    const url = `/v1/jobs?owner=zo%C3%AB&state=queued&pageSize=2${token && `&pageToken=${token}`}`;
    const { json } = await api.ask('reader', 'GET', url);
    names.push(...json.items.map(({ name }: { name: string }) => name));
    token = json.nextPageToken ?? '';
  } while (token);
  expect(names).toEqual(['three', 'two', 'one']);
});

test('a log is followed from byte to byte, and no character is cut', async () => {
  const id = await completedJob(api);
  const read = async (query: string) => (await api.ask('reader', 'GET', `/v1/jobs/${id}/logs?${query}`)).json;
  const whole = 'begin\ngröße\nend\n';
  expect(await read('')).toEqual({
    ...{ attempt: 1, text: whole, offset: 0, nextOffset: Buffer.byteLength(whole), isComplete: true },
  });
  for (const limit of [3, 4, 5, 9]) {
    let text = '';
    let offset = 0;
    for (let round = 0; round < 20; round++) {
      const part = await read(`offset=${offset}&limit=${limit}`);
      expect(part.text).not.toContain('�');
      text += part.text;
      offset = part.nextOffset;
      if (part.isComplete) break;
    }
    expect([limit, text]).toEqual([limit, whole]);
  }
  expect(await read('offset=1000')).toMatchObject({ text: '', nextOffset: 1000, isComplete: true });
  expect((await api.ask('reader', 'GET', `/v1/jobs/${id}/logs?attempt=2`)).status).toBe(404);
});

test('results are listed once they are all there', async () => {
  const id = await completedJob({ records: api.records });
  await put('derived', `jobs/${id}/results/plots/a.png`, 'picture');
  const { json } = await api.ask('reader', 'GET', `/v1/jobs/${id}/results`);
  expect(json.items).toMatchObject([
    { name: `jobs/${id}/results/model.h5`, size: 7, md5: expect.any(String) },
    { name: `jobs/${id}/results/plots/a.png` },
  ]);
});
