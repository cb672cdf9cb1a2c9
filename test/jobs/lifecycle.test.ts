import { expect, jest, test } from '@jest/globals';
import { jobEvent } from '../../functions/job-event.ts';
import { JobRequested, jobStart } from '../../functions/job-start.ts';
import { machineSweep } from '../../functions/machine-sweep.ts';
import { clients } from '../../shared/clients.ts';
import { readJobRecord } from '../../shared/jobs/changeJob.ts';
import { isEnd, type JobRecord } from '../../shared/jobs/jobRecord.ts';
import { readJob } from '../../shared/jobs/parseJob.ts';
import { reportName } from '../../shared/jobs/report.ts';
import { costOf } from '../../shared/jobs/spent.ts';
import { activeFolder, cancelJob, submitJob } from '../../shared/jobs/submitJob.ts';
import type { Machines } from '../../shared/machines/machines.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { NotYet } from '../../shared/once.ts';
import type { Publish } from '../../shared/publish.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { Unprocessable } from '../../shared/unprocessable.ts';
import { rememberLog } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { seeded } from '../sync/model.ts';
import { createWorld, type Life } from './world.ts';

/*
 * The life of many jobs in simulated time, while machines are sold out, taken away and lost, messages are lost, doubled
 * and late, and processes are killed at every step. Records and reports are in real buckets. `SEED=7 npm run
 * test:lifecycle` runs one seed again, `SEEDS=1-100` as many as that.
 */
useLocalCloud();
jest.setTimeout(120_000);
const [first = 1, last = first] = (process.env.SEED ?? process.env.SEEDS ?? '1-2').split('-').map(Number);
/** Seeds that found something once: a machine that was gone before anybody had heard of it was not paid for. */
const kept = process.env.SEED ? [] : [35];
const jobsPerSeed = 8;
const minute = 60_000;
const hour = 60 * minute;

class Killed extends Error {}
let kills = 0;

test.each([...kept, ...Array.from({ length: last - first + 1 }, (_, index) => first + index)])(
  'seed %i: every job ends once and truly, nothing is left, no limit is passed and the cost is what was billed',
  async (seed) => {
    const random = seeded(seed);
    const storage = await clients.storage();
    for (const name of ['raw', 'state', 'derived'])
      if (!(await storage.bucket(name).exists())[0]) await storage.createBucket(name);
    const state = recordsIn(storage, 'state');
    const derived = storage.bucket('derived');
    const world = createWorld(random, (isSpot, seconds) => drawLife(random, isSpot, seconds));
    const log = rememberLog();
    const queue: { at: number; topic: string; data: unknown; tries: number }[] = [];
    const problems: string[] = [];
    let isStormy = true;

    const deliver = (topic: string, data: unknown, tries = 0) => {
      if (isStormy && random() < 0.04 && tries === 0) return;
      const copies = isStormy && random() < 0.1 ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const late = isStormy && random() < 0.1 ? random() * 10 * minute : random() * 3000;
        queue.push({ at: world.now() + late, topic, data, tries });
      }
    };
    const publish: Publish = async (topic, messages) => {
      for (const { data } of messages) deliver(topic, data);
    };
    world.onReport(async (job, attempt, sequence, phase, outcome) => {
      const name = reportName({ job, attempt, sequence });
      // The clock of a machine may be anything.
      const at = new Date(world.now() + (random() - 0.5) * 20 * minute).toISOString();
      const report = {
        job,
        attempt,
        sequence,
        phase,
        at,
        ...(outcome ? { outcome, reason: `it ${outcome}` } : {}),
      };
      await derived.file(name).save(JSON.stringify(report), { resumable: false });
      const [{ generation }] = await derived.file(name).getMetadata();
      deliver('derived-object', { bucket: 'derived', name, generation: String(generation) });
    });

    /** A process that may die before or after anything that it does outside of itself. */
    const dependencies = () => {
      const skew = (random() - 0.5) * 6000;
      let isDead = false;
      const step = async <T>(work: () => Promise<T>): Promise<T> => {
        if (isDead) throw new Killed();
        const dies = isStormy && random() < 0.02;
        if (dies) kills++;
        if (dies && random() < 0.5) {
          isDead = true;
          throw new Killed();
        }
        const done = await work();
        if (dies) {
          isDead = true;
          throw new Killed();
        }
        return done;
      };
      const wrap = <T extends object>(object: T): T =>
        new Proxy(object, {
          get: (target, key) => {
            const value = Reflect.get(target, key);
            if (typeof value !== 'function' || key === 'list') return value;
            return (...args: unknown[]) => step(() => value.apply(target, args));
          },
        });
      const service = wrap(world.service as Machines);
      const list = (lab: string) => step(() => world.service.list(lab));
      const machines = async () =>
        new Proxy(service, { get: (target, key) => (key === 'list' ? list : Reflect.get(target, key)) });
      const now = () => world.now() + skew;
      return {
        ...{ records: wrap(state) as Records, derived, raw: storage.bucket('raw'), machines, log, now },
        publish: ((topic, messages) => step(() => publish(topic, messages))) as Publish,
        ...{
          prices: priceTable(),
          regions: undefined,
          allowFile: false,
          patience: minute,
          random,
          lab: 'gazeline',
        },
        ...{ deadline: now() + 4 * minute, lastWords: minute, bootTime: 10 * minute, rescue: 15 * minute },
        settings: {
          ...{ project: 'p', lab: 'gazeline', rawBucket: 'raw', derivedBucket: 'derived' },
          ...{ serviceAccount: 'm@p.iam', startupScript: '#!/bin/bash' },
        },
      };
    };
    const run = async (topic: string, data: unknown) => {
      const given = dependencies();
      if (topic === 'job-requested') return jobStart(JobRequested.parse(data), given);
      if (topic === 'derived-object') return jobEvent(data as never, given);
      return machineSweep({ time: new Date(world.now()) }, given);
    };
    const attempt = async ({ topic, data, tries }: (typeof queue)[number]) => {
      try {
        await run(topic, data);
      } catch (error) {
        if (error instanceof Unprocessable) problems.push(error.message);
        else if (topic !== 'sweep') {
          if (
            !(
              error instanceof NotYet ||
              error instanceof Killed ||
              (error as Error).message === 'socket hang up'
            )
          )
            throw error;
          queue.push({
            at: world.now() + Math.min(600, 10 * 2 ** tries) * 1000 * random(),
            topic,
            data,
            tries: tries + 1,
          });
        } else if (
          !(
            error instanceof Killed ||
            (error as Error).message === 'socket hang up' ||
            error instanceof NotYet
          )
        )
          throw error;
      }
    };

    const ids: string[] = [];
    for (let index = 0; index < jobsPerSeed; index++) {
      world.at(world.now() + random() * 2 * hour, async () => {
        const job = readJob(drawJob(random, seed, index));
        const submitted = { job, key: `${seed}-${index}`, owner: 'a@b.org' };
        const { id } = await submitJob(state, submitted, new Date(world.now()));
        ids.push(id);
        deliver('job-requested', { job: id });
        if (random() < 0.15)
          world.at(world.now() + random() * 2 * hour, () =>
            cancelJob({ records: state, publish }, id, new Date(world.now())).then(() => {}),
          );
      });
    }

    const start = world.now();
    let sweepAt = start;
    for (let steps = 0; ; steps++) {
      if (isStormy && world.now() > start + 6 * hour) {
        isStormy = false;
        world.quiet();
      }
      const names = isStormy ? 1 : (await all(state.list(activeFolder))).length;
      if (
        !isStormy &&
        names === 0 &&
        queue.length === 0 &&
        world.machines.size === [...world.machines.values()].filter(({ isGone }) => isGone).length &&
        world.disks.size === 0
      )
        break;
      expect(steps).toBeLessThan(20_000);
      queue.sort((a, b) => a.at - b.at);
      world.events.sort((a, b) => a.at - b.at);
      const next = Math.min(queue[0]?.at ?? Infinity, world.events[0]?.at ?? Infinity, sweepAt);
      world.passTo(next);
      if (world.events[0]?.at === next) await world.events.shift()?.happen();
      else if (sweepAt === next) {
        sweepAt = world.now() + minute;
        await attempt({ at: 0, topic: 'sweep', data: undefined, tries: 0 });
      } else {
        // Two that come at the same time.
        const together = queue.splice(0, random() < 0.2 ? 2 : 1);
        await Promise.all(together.map(attempt));
      }
    }

    if (process.env.SHOW) {
      const ended = await Promise.all(ids.map(async (id) => (await readJobRecord(state, id)) as JobRecord));
      console.log(
        seed,
        ended
          .map(
            ({ state, reason, attempts, waitingSince, history }) =>
              `${state} ${attempts.map(({ outcome, tried }) => `${outcome}/${tried}`)} w${history.filter((h) => h.state === 'waiting-for-capacity').length} ${waitingSince ?? ''} ${reason?.slice(0, 90)}`,
          )
          .join('\n'),
        'killed',
        kills,
      );
    }
    expect(world.wrongs).toEqual([]);
    expect(problems).toEqual([]);
    expect([...world.machines.values()].filter(({ isGone }) => !isGone)).toEqual([]);
    for (const id of ids) {
      const record = (await readJobRecord(state, id)) as JobRecord;
      const said = world.truth.get(id) ?? [];
      const bills = world.bills.filter(({ job }) => job === id);
      const shown = {
        id,
        state: record.state,
        reason: record.reason,
        said,
        attempts: record.attempts.length,
      };
      expect({ ...shown, end: isEnd(record.state) }).toMatchObject({ end: true });
      expect({ ...shown, ends: record.history.filter(({ state }) => isEnd(state)).length }).toMatchObject({
        ends: 1,
      });
      expect({ ...shown, left: record.attempts.filter(({ releasedAt }) => !releasedAt) }).toMatchObject({
        left: [],
      });
      expectTrue(record, said, bills.length);
      const billed = bills.reduce((sum, { from, to = NaN }) => sum + (to - from) / 1000, 0);
      expect({ ...shown, billed }).toMatchObject({ billed: expect.any(Number) });
      expect(billed).toBeLessThanOrEqual(record.job.limits.hours * 3600 + 30 + 1);
      const dollars = bills.reduce((sum, { attempt: number, from, to = NaN }) => {
        const { candidate } = record.attempts.find((one) => one.number === number) ?? {};
        return sum + ((to - from) / hour) * (candidate?.price?.perHour ?? NaN);
      }, 0);
      // What was there for seconds, in a zone that was given up, is not in the record.
      const off = Math.abs(costOf(record, world.now()).dollars - dollars);
      expect({ ...shown, dollars, off: off < 0.01 }).toMatchObject({ off: true });
      const { money } = record.job.limits;
      if (money) expect(dollars).toBeLessThanOrEqual(money * 1.01 + 0.01);
    }
  },
);

/** What the record says has to be what the machines said. */
function expectTrue(record: JobRecord, said: { attempt: number; outcome: string }[], machines: number): void {
  const { state, cancelRequestedAt } = record;
  const last = record.attempts.at(-1);
  const succeeded = said.some(({ outcome }) => outcome === 'succeeded');
  const shown = { id: record.id, state, said, machines, cancelRequestedAt, reason: record.reason };
  if (state === 'succeeded') expect({ ...shown, succeeded }).toMatchObject({ succeeded: true });
  if (succeeded && !cancelRequestedAt) expect(shown).toMatchObject({ state: 'succeeded' });
  if (state === 'cancelled') expect(shown).toMatchObject({ cancelRequestedAt: expect.any(String) });
  if (state === 'refused') expect(shown).toMatchObject({ machines: 0 });
  if (state === 'lost') expect({ ...shown, outcome: last?.outcome }).toMatchObject({ outcome: 'vanished' });
}

function drawJob(random: () => number, seed: number, index: number): unknown {
  const pick = <T>(...list: T[]) => list[Math.floor(random() * list.length)] as T;
  return {
    name: `job ${seed} ${index}`,
    repository: 'https://example.org/code.git',
    command: 'true',
    accelerators: pick(['cpu'], ['L4', 'cpu'], ['T4'], ['L4', 'T4'], [{ cpu: 8, memory: 32 }]),
    spot: pick('never', 'prefer', 'only'),
    limits: {
      hours: pick(0.05, 0.5, 2, 6),
      attempts: pick(1, 2, 5),
      ...(random() < 0.4 ? { money: pick(0.5, 2, 12) } : {}),
    },
    ...(random() < 0.5 ? { regions: pick(['europe-west4'], ['us-central1', 'europe-west1']) } : {}),
  };
}

function drawLife(random: () => number, isSpot: boolean, seconds: number): Life {
  const boot = 20 + random() * 60;
  const work = random() * Math.min(3 * 3600, seconds * 1.1);
  const phases = (['starting', 'fetching', 'installing', 'running'] as const).map((phase, index) => ({
    after: boot + index * 10,
    phase,
  }));
  const reports: Life['reports'] = [...phases];
  for (let after = boot + 60; after < boot + 60 + work; after += 120 + random() * 600)
    reports.push({ after, phase: 'running' });
  const over = boot + 70 + work;
  const finish = (outcome: NonNullable<Life['reports'][number]['outcome']>, off = 3): Life => ({
    reports: [
      ...reports,
      { after: over, phase: 'uploading' },
      { after: over + 20, phase: 'finished', outcome },
    ],
    poweredOff: over + 20 + off,
  });
  const drawn = random();
  let life: Life = finish('succeeded');
  if (drawn < 0.08) life = finish('failed');
  else if (drawn < 0.11) life = finish('setup-failed');
  else if (drawn < 0.14) life = finish('results-not-uploaded', 900);
  else if (drawn < 0.18) life = { reports, poweredOff: over };
  else if (drawn < 0.22) life = { reports };
  else if (drawn < 0.25) life = { reports: [] };
  else if (drawn < 0.28) life = { reports, lost: over * random() };
  if (isSpot && random() < 0.3) life = { ...life, preempted: random() * over };
  return life;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
