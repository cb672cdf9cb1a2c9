import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionRequested } from '../../functions/session-start.ts';
import { sessionStart } from '../../functions/session-start.ts';
import { sessionSweep } from '../../functions/session-sweep.ts';
import { clients } from '../../shared/clients.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { Cooldown, cooldownRecord } from '../../shared/machines/cooldown.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { startupScript } from '../../shared/machines/startupScript.ts';
import { NotYet } from '../../shared/once.ts';
import type { Message, Publish } from '../../shared/publish.ts';
import { workbenchInstances } from '../../shared/sessions/instances.ts';
import type { LookAfterDependencies } from '../../shared/sessions/lookAfter.ts';
import { prolongSession } from '../../shared/sessions/prolongSession.ts';
import {
  deleteSession,
  newSession,
  resumeSession,
  stopSession,
} from '../../shared/sessions/requestSession.ts';
import { readWish } from '../../shared/sessions/session.ts';
import { readSession, type SessionRecord } from '../../shared/sessions/sessionRecord.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { quick, setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { clientOf, parentOf, setNotebooks } from '../deploy/local/cloud/notebooks/kit.ts';
import { rememberLog, requestsAt, setFaults } from '../kit.ts';
import type { useLocalCloud } from '../localCloud.ts';

type Cloud = ReturnType<typeof useLocalCloud>;

export const minute = 60_000;
export const hour = 60 * minute;
/** Then also those that are stopped are looked at. */
const wholeHour = new Date('2026-01-01T12:00:00Z');

export type Create = {
  zone: string;
  id: string;
  requestId: string;
  body: {
    labels: Record<string, string>;
    instanceOwners?: string[];
    gceSetup: { [field: string]: unknown; metadata: Record<string, string> };
  };
};

/** Sessions without their host: the two functions, real clients, a real local cloud, and a clock that can be moved on. */
export async function openSessions(cloud: Cloud, overrides: Partial<LookAfterDependencies> = {}) {
  const storage = await clients.storage();
  for (const name of ['raw', 'derived', 'state'])
    if (!(await storage.bucket(name).exists())[0]) await storage.createBucket(name);
  const records = recordsIn(storage, 'state', (ms) => sleep(ms / 10));
  const compute = computeEngine(cloud.project, await clients.compute(), () => sleep(1));
  const instances = workbenchInstances(cloud.project, clients.notebooks);
  const log = rememberLog();
  const clock = { ahead: 0 };
  const now = () => Date.now() + clock.ahead;
  const queue: SessionRequested[] = [];
  const publish: Publish = async (topic: string, messages: Message[]) => {
    if (topic !== 'session-requested') throw new Error(`Nobody reads ${topic}`);
    queue.push(...messages.map(({ data }) => data as SessionRequested));
  };
  const given = (): LookAfterDependencies => ({
    records,
    publish,
    derived: storage.bucket('derived'),
    instances,
    settings: {
      project: cloud.project,
      lab: 'Eye Lab',
      rawBucket: 'raw',
      derivedBucket: 'derived',
      serviceAccount: 'machine@example.iam.gserviceaccount.com',
      network: 'global/networks/default',
      storage: cloud.origin,
    },
    script: () => startupScript('session'),
    prices: priceTable(),
    regions: ['europe-west4', 'us-central1'],
    log,
    now,
    deadline: now() + 8000,
    pause: 20,
    ...overrides,
  });
  const to = { records, publish };
  const date = () => new Date(now());
  const read = async (name: string): Promise<SessionRecord> => {
    const record = await readSession(records, name);
    if (!record) throw new Error(`There is no session ${name}`);
    return record;
  };

  const used = {
    cloud,
    storage,
    records,
    compute,
    instances,
    log,
    clock,
    now,
    queue,
    given,
    read,
    /** Asked for, and not begun. What is not given is as usual. */
    ask: (name: string, more: object = {}, owner = 'ada@lab.org') =>
      newSession(to, { session: readWish({ name, ...more }, { allowFile: true }), owner }, date()),
    resume: (name: string) => resumeSession(to, name, date()),
    stop: (name: string) => stopSession(to, name, date()),
    prolong: (name: string, hours: number, more: Partial<LookAfterDependencies> = {}) =>
      prolongSession(name, { by: 'ada@lab.org', hours }, { ...given(), ...more }),
    remove: (name: string) => deleteSession(to, name, date()),
    start: (session: string, more: Partial<LookAfterDependencies> = {}) =>
      sessionStart({ session }, { ...given(), ...more }),
    /** Delivers what was published, and what follows from it; what comes too early stays. */
    async deliver(more: Partial<LookAfterDependencies> = {}): Promise<NotYet[]> {
      const early: NotYet[] = [];
      const again: SessionRequested[] = [];
      for (let step = 0; queue.length > 0; step++) {
        if (step > 50) throw new Error('It goes on for ever');
        const message = queue.shift() as SessionRequested;
        try {
          await sessionStart(message, { ...given(), ...more });
        } catch (error) {
          if (!(error instanceof NotYet)) throw error;
          early.push(error);
          again.push(message);
        }
      }
      queue.push(...again);
      return early;
    },
    sweep: (more: Partial<LookAfterDependencies> = {}) =>
      sessionSweep({ time: wholeHour }, { ...given(), ...more }),
    /** One that runs. */
    async place(name: string, more: object = {}, owner?: string): Promise<SessionRecord> {
      await used.ask(name, more, owner);
      await used.deliver();
      const record = await read(name);
      if (record.state !== 'running') throw new Error(`It is ${record.state}: ${record.reason}`);
      return record;
    },
    /** Every request for an instance that reached the server. */
    async creates(): Promise<Create[]> {
      const seen = await requestsAt(cloud, 'notebooks');
      return seen.flatMap(({ method, url, detail }) => {
        const { pathname, searchParams } = new URL(url, cloud.origin);
        const zone = /locations\/([^/]+)\/instances$/.exec(pathname)?.[1];
        if (method !== 'POST' || !zone) return [];
        const { body } = (detail ?? {}) as { body: Create['body'] };
        const [id, requestId] = ['instanceId', 'requestId'].map((name) => searchParams.get(name) ?? '');
        return [{ zone, id: id ?? '', requestId: requestId ?? '', body }];
      });
    },
    /** How often this was asked of Workbench. */
    async asked(op: string): Promise<number> {
      const seen = await requestsAt(cloud, 'notebooks');
      return seen.filter(({ detail }) => (detail as { op?: string } | undefined)?.op === op).length;
    },
    stateOf: async (zone: string, name: string) => (await instances.look(zone, `session-${name}`))?.state,
    async disks(): Promise<string[]> {
      const { disks } = await compute.listAll();
      return disks.map(({ name, zone, sizeGb }) => `${zone}/${name} ${sizeGb}`).sort();
    },
    async cooldown() {
      return (await records.read(cooldownRecord, Cooldown))?.value.blocked ?? {};
    },
    /** Nothing of one test is there in the next. */
    async clear(): Promise<void> {
      await setFaults(cloud);
      await setCompute(cloud, quick);
      await setNotebooks(cloud, {});
      clock.ahead = 0;
      queue.length = 0;
      log.entries.length = 0;
      const { machines } = await compute.listAll();
      await Promise.all(machines.map(({ name, zone }) => compute.remove(zone, name)));
      const left = await clientOf(cloud).instances.list({ parent: parentOf(cloud, '-') });
      for (const { name = '' } of left.data.instances ?? [])
        await clientOf(cloud).instances.delete({ name: name ?? '' });
      await storage.bucket('state').deleteFiles({ force: true });
      await fetch(`${cloud.origin}/_local/requests`, { method: 'DELETE' });
    },
  };
  await used.clear();
  return used;
}
export type Sessions = Awaited<ReturnType<typeof openSessions>>;

/** A stock-out in these zones. */
export const soldOut = (...zones: string[]) =>
  zones.map((zone) => ({ service: 'compute', kind: 'stockOut', machine: { zone } }));
