import { beforeAll, expect, test } from '@jest/globals';
import { seededRandom } from '../../deploy/local/example/pictures/seededRandom.ts';
import type { Asked, Instances } from '../../shared/sessions/instances.ts';
import { SessionConflict } from '../../shared/sessions/requestSession.ts';
import { isOver, readSession, type SessionRecord } from '../../shared/sessions/sessionRecord.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openSessions, type Sessions, soldOut } from './sessionKit.ts';

/*
 * People change their minds at random while zones sell out, answers get lost and processes die at any call. Whatever happens,
 * a session never has two machines, and in the end it is what was wanted last and nothing else is left.
 */
const cloud = useLocalCloud();
let sessions: Sessions;
beforeAll(async () => {
  sessions = await openSessions(cloud);
});

const seeds = (process.env.SEEDS ?? '1-6').split('-').map(Number);
const [first = 1, last = first] = process.env.SEED ? [Number(process.env.SEED)] : seeds;
const names = ['one', 'two'];
const wish = { regions: ['europe-west4'], disk: 10 };
const zones = ['europe-west4-a', 'europe-west4-b', 'europe-west4-c'];

test.each(Array.from({ length: last - first + 1 }, (_, index) => first + index))('seed %i', async (seed) => {
  await sessions.clear();
  const random = seededRandom(seed);
  const chance = (probability: number) => random() < probability;
  const one = <T>(items: T[]): T => items[Math.floor(random() * items.length)] as T;
  let isStormy = true;
  const dies = () => isStormy && chance(0.06);
  /** Each call may be the last one of its process, before or after it has had its effect. */
  const mortal = Object.fromEntries(
    Object.entries(sessions.instances).map(([verb, work]) => [
      verb,
      async (...given: never[]) => {
        if (dies()) throw new Error('killed');
        const answer = await (work as (...given: never[]) => Promise<Asked>)(...given);
        if (dies()) throw new Error('killed');
        return answer;
      },
    ]),
  ) as object as Instances;
  const calm = (error: unknown) => {
    if (error instanceof SessionConflict || /killed|unavailable|NotYet/.test(String(error))) return;
    throw error;
  };
  const machinesOf = async (name: string) =>
    (await sessions.compute.listAll()).machines.filter((machine) => machine.name === `session-${name}`);
  const go = () => sessions.deliver({ instances: mortal, deadline: chance(0.5) ? 0 : sessions.now() + 200 });

  for (let step = 0; step < 30; step++) {
    const name = one(names);
    const act = one([
      () => sessions.ask(name, wish),
      () => sessions.ask(name, wish),
      () => sessions.stop(name),
      () => sessions.resume(name),
      () => sessions.remove(name),
      () => setFaults(cloud, ...(chance(0.5) ? soldOut(one(zones), one(zones)) : [])),
      () => sessions.sweep({ instances: mortal }),
      () => Promise.all([go(), go()]),
      go,
      go,
    ]);
    await Promise.resolve(act()).catch(calm);
    if (chance(0.1)) sessions.clock.ahead += 5 * 60_000;
    for (const each of names) expect((await machinesOf(each)).length).toBeLessThanOrEqual(1);
  }

  isStormy = false;
  await setFaults(cloud);
  for (let minute = 0; minute < 30; minute++) {
    sessions.clock.ahead += 60_000;
    await sessions.sweep();
    await sessions.deliver().catch(calm);
    const all = await Promise.all(names.map((name) => readSession(sessions.records, name)));
    if (all.every((record) => !record || isSettled(record))) break;
  }
  for (const name of names) {
    const record = await readSession(sessions.records, name);
    const machines = await machinesOf(name);
    if (!record || isOver(record)) {
      expect(machines).toEqual([]);
      continue;
    }
    expect(record).toMatchObject({ state: record.wish });
    expect(machines.map(({ status }) => status)).toEqual([
      record.wish === 'running' ? 'RUNNING' : 'TERMINATED',
    ]);
    expect(machines[0]?.zone).toBe(record.candidate?.zone);
  }
});

const isSettled = (record: SessionRecord) => isOver(record) || record.state === record.wish;
