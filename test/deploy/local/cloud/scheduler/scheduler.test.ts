import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import express from 'express';
import { cloudscheduler_v1 } from 'googleapis/build/src/apis/cloudscheduler/v1.js';
import { createFaults } from '../../../../../deploy/local/cloud/faults.ts';
import { answerErrors, GoogleError } from '../../../../../deploy/local/cloud/googleError.ts';
import { createRequests } from '../../../../../deploy/local/cloud/requests.ts';
import { createScheduler } from '../../../../../deploy/local/cloud/scheduler/scheduler.ts';
import { openStore } from '../../../../../deploy/local/cloud/store.ts';
import { until } from '../pubsub/receiver.ts';

const parent = 'projects/lab/locations/local';
const name = `${parent}/jobs/tick`;
const topicName = 'projects/lab/topics/ticks';

let dir = '';
let published: { topic: string; text: string; attributes: Record<string, string> }[] = [];
let running: Awaited<ReturnType<typeof start>>;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-'));
  published = [];
});
afterEach(async () => {
  await running.close();
  await rm(dir, { recursive: true });
});

/** The Scheduler alone, with a clock that shows `time` now and goes on from there. */
async function start(time = '2026-03-01T10:00:30Z') {
  const store = openStore(dir);
  const ahead = Date.parse(time) - Date.now();
  const context = {
    store,
    faults: createFaults(),
    requests: createRequests(),
    project: 'lab',
    origin: () => '',
  };
  const scheduler = createScheduler(context, {
    publish(topic, messages) {
      if (topic !== topicName)
        throw new GoogleError(404, 'notFound', `Resource not found (resource=${topic}).`);
      for (const { data, attributes } of messages)
        published.push({ topic, text: data.toString(), attributes });
    },
    now: () => new Date(Date.now() + ahead),
  });
  const server = createServer(express().use(scheduler.router).use(answerErrors));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const rootUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { jobs } = new cloudscheduler_v1.Cloudscheduler({ rootUrl, retry: false }).projects.locations;
  return {
    jobs,
    async close() {
      await scheduler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      store.close();
    },
  };
}

const pubsubTarget = { topicName, data: Buffer.from('{}').toString('base64'), attributes: { from: 'clock' } };
const job = { name, schedule: '*/5 * * * *', timeZone: 'Etc/UTC', pubsubTarget };
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code,
  );

test('a job is made once, read, listed, changed, paused, resumed and deleted', async () => {
  running = await start();
  const { jobs } = running;
  const { data: made } = await jobs.create({ parent, requestBody: job });
  expect(made).toEqual({
    ...job,
    state: 'ENABLED',
    scheduleTime: '2026-03-01T10:05:00.000Z',
    userUpdateTime: expect.stringMatching(/^2026-03-01T10:00:/),
  });
  expect(await codeOf(jobs.create({ parent, requestBody: job }))).toBe(409);
  expect((await jobs.get({ name })).data).toEqual(made);
  await jobs.create({ parent, requestBody: { ...job, name: `${parent}/jobs/tock` } });
  const first = await jobs.list({ parent, pageSize: 1 });
  const second = await jobs.list({ parent, pageSize: 1, pageToken: first.data.nextPageToken ?? '' });
  expect([first, second].flatMap(({ data }) => data.jobs?.map(({ name }) => name))).toEqual([
    name,
    `${parent}/jobs/tock`,
  ]);
  expect(second.data.nextPageToken).toBeUndefined();

  const requestBody = { schedule: '30 9 * * 1', description: 'not in the mask', pubsubTarget: {} };
  const { data: patched } = await jobs.patch({ name, updateMask: 'schedule', requestBody });
  expect(patched).toMatchObject({
    schedule: '30 9 * * 1',
    scheduleTime: '2026-03-02T09:30:00.000Z',
    pubsubTarget,
  });
  expect(patched.description).toBeUndefined();
  const { data: paused } = await jobs.pause({ name });
  expect(paused.state).toBe('PAUSED');
  expect(paused.scheduleTime).toBeUndefined();
  expect((await jobs.resume({ name })).data).toMatchObject({
    state: 'ENABLED',
    scheduleTime: patched.scheduleTime,
  });
  await jobs.delete({ name });
  expect(await codeOf(jobs.get({ name }))).toBe(404);
  expect(await codeOf(jobs.run({ name }))).toBe(404);
});

test.each([
  ['without a schedule', { schedule: '' }],
  ['with a schedule of seconds', { schedule: '* * * * * *' }],
  ['with words for a schedule', { schedule: 'now and then' }],
  ['in a zone that is nowhere', { timeZone: 'Mars/Olympus' }],
  ['without a target', { pubsubTarget: undefined }],
  ['with nothing to say', { pubsubTarget: { topicName } }],
  ['with a field that is not known', { shedule: '* * * * *' }],
  ['with a name that cannot be', { name: `${parent}/jobs/a b` }],
])('a job %s is refused', async (_, wrong) => {
  running = await start();
  expect(await codeOf(running.jobs.create({ parent, requestBody: { ...job, ...wrong } as object }))).toBe(
    400,
  );
});

test('a schedule is read in its time zone, on either side of a change of the clocks', async () => {
  running = await start('2026-03-28T12:00:00Z');
  const requestBody = { ...job, schedule: '0 9 * * *', timeZone: 'Europe/Berlin' };
  const { data: summer } = await running.jobs.create({ parent, requestBody });
  expect(summer.scheduleTime).toBe('2026-03-29T07:00:00.000Z');
  await running.close();
  running = await start('2026-03-27T12:00:00Z');
  expect((await running.jobs.get({ name })).data.scheduleTime).toBe('2026-03-28T08:00:00.000Z');
});

test('a job runs at once when it is told to, paused or not', async () => {
  running = await start();
  await running.jobs.create({ parent, requestBody: job });
  await running.jobs.pause({ name });
  const { data } = await running.jobs.run({ name });
  expect(data.lastAttemptTime).toMatch(/^2026-03-01T10:00:/);
  expect(data.state).toBe('PAUSED');
  expect(published).toEqual([{ topic: topicName, text: '{}', attributes: { from: 'clock' } }]);
});

test('a job whose topic is not there says so, and goes on when it is', async () => {
  running = await start();
  const nobody = { ...pubsubTarget, topicName: 'projects/lab/topics/nobody' };
  await running.jobs.create({ parent, requestBody: { ...job, pubsubTarget: nobody } });
  expect((await running.jobs.run({ name })).data.status).toMatchObject({ code: 5 });
  await running.jobs.patch({ name, updateMask: 'pubsub_target', requestBody: { pubsubTarget } });
  expect((await running.jobs.run({ name })).data.status).toBeUndefined();
  expect(published).toHaveLength(1);
});

test('a job ticks by itself when its time has come, once', async () => {
  running = await start('2026-03-01T10:04:59.700Z');
  const { data: before } = await running.jobs.create({ parent, requestBody: job });
  expect(before.scheduleTime).toBe('2026-03-01T10:05:00.000Z');
  const after = await until(async () => {
    const { data } = await running.jobs.get({ name });
    return data.lastAttemptTime ? data : undefined;
  });
  expect(after.lastAttemptTime).toMatch(/^2026-03-01T10:05:/);
  expect(after.scheduleTime).toBe('2026-03-01T10:10:00.000Z');
  expect(published).toHaveLength(1);
});

test('jobs outlive the process, and the ticks that they missed meanwhile are not made up for', async () => {
  running = await start();
  await running.jobs.create({ parent, requestBody: job });
  await running.jobs.create({ parent, requestBody: { ...job, name: `${parent}/jobs/paused` } });
  await running.jobs.pause({ name: `${parent}/jobs/paused` });
  await running.close();
  running = await start('2026-03-01T18:02:00Z');
  expect((await running.jobs.get({ name })).data.scheduleTime).toBe('2026-03-01T18:05:00.000Z');
  expect((await running.jobs.get({ name: `${parent}/jobs/paused` })).data.state).toBe('PAUSED');
  expect(published).toEqual([]);
});
