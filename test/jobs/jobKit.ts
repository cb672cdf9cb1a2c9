import { setTimeout as sleep } from 'node:timers/promises';
import { jobEvent } from '../../functions/job-event.ts';
import { type JobRequested, type JobStartDependencies, jobStart } from '../../functions/job-start.ts';
import { type MachineSweepDependencies, machineSweep } from '../../functions/machine-sweep.ts';
import { clients } from '../../shared/clients.ts';
import { changeJob, readJobRecord } from '../../shared/jobs/changeJob.ts';
import type { HearDependencies } from '../../shared/jobs/hearReport.ts';
import type { JobRecord } from '../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../shared/jobs/parseJob.ts';
import { type Report, reportName } from '../../shared/jobs/report.ts';
import { cancelJob, requestJob, submitJob } from '../../shared/jobs/submitJob.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { Cooldown, cooldownRecord } from '../../shared/machines/cooldown.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { NotYet } from '../../shared/once.ts';
import type { Message, Publish } from '../../shared/publish.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { quick, setCompute } from '../deploy/local/cloud/compute/kit.ts';
import { rememberLog, requestsAt, setFaults } from '../kit.ts';
import type { useLocalCloud } from '../localCloud.ts';

type Cloud = ReturnType<typeof useLocalCloud>;

/** As `quick`, with the shortest run that Google accepts. */
export const fast = { ...quick, shortestRun: 30 };
export const minute = 60_000;
/** Then the zones are looked at in any case. */
const wholeHour = new Date('2026-01-01T12:00:00Z');

/** A machine of a test does nothing at all, unless the test gives it something to do. */
const idle = 'trap "exit 0" TERM; sleep 600 & wait';

export type Insert = {
  zone: string;
  status: number;
  requestId: string;
  body: {
    name: string;
    machineType: string;
    labels: Record<string, string>;
    scheduling: Record<string, unknown>;
    disks: Record<string, unknown>[];
    metadata: { items: { key: string; value: string }[] };
  };
};

/**
 * Jobs without their host: the three functions, real clients, a real local cloud. What they publish waits for `deliver`;
 * their clock goes as the machines' does, and can be moved forward.
 */
export async function openJobs(cloud: Cloud, settings: Partial<JobStartDependencies['settings']> = {}) {
  const storage = await clients.storage();
  for (const name of ['raw', 'derived', 'state'])
    if (!(await storage.bucket(name).exists())[0])
      await storage.createBucket(name, name === 'raw' ? { versioning: { enabled: true } } : {});
  const [raw, derived] = [storage.bucket('raw'), storage.bucket('derived')];
  const records = recordsIn(storage, 'state', (ms) => sleep(ms / 10));
  const service = computeEngine(cloud.project, await clients.compute(), () => sleep(1));
  const log = rememberLog();
  const clock = { ahead: 0 };
  const now = () => Date.now() + clock.ahead;
  const queue: JobRequested[] = [];
  const publish: Publish = async (topic: string, messages: Message[]) => {
    if (topic !== 'job-requested') throw new Error(`Nobody reads ${topic}`);
    queue.push(...messages.map(({ data }) => data as JobRequested));
  };
  const common = { records, machines: async () => service, now, log, publish };
  const starting: JobStartDependencies = {
    ...common,
    raw,
    prices: priceTable(),
    regions: ['europe-west4', 'us-central1'],
    allowFile: true,
    deadline: Number.POSITIVE_INFINITY,
    patience: 10_000,
    random: () => 0.5,
    settings: {
      project: cloud.project,
      lab: 'Eye Lab',
      rawBucket: 'raw',
      derivedBucket: 'derived',
      serviceAccount: 'machine@example.iam.gserviceaccount.com',
      startupScript: idle,
      storage: cloud.origin,
      ...settings,
    },
  };
  const hearing: HearDependencies = { ...common, derived };
  const sweeping: MachineSweepDependencies = {
    ...hearing,
    lab: 'Eye Lab',
    lastWords: minute,
    bootTime: 10 * minute,
    rescue: 15 * minute,
  };

  const read = async (id: string): Promise<JobRecord> => {
    const record = await readJobRecord(records, id);
    if (!record) throw new Error(`There is no job ${id}`);
    return record;
  };
  const heard = new Set<string>();
  let keys = 0;

  const used = {
    cloud,
    storage,
    raw,
    derived,
    records,
    service,
    log,
    clock,
    now,
    queue,
    publish,
    starting,
    hearing,
    sweeping,
    read,
    /** Writes a job down and asks for it; what is not given is as short as possible. */
    async submit(more: object = {}, { key = `key ${++keys}`, owner = 'me@lab.org' } = {}): Promise<string> {
      const job = parseJob(JSON.stringify({ ...smallest, ...more }), { allowFile: true });
      const { id } = await submitJob(records, { job, key, owner }, new Date(now()));
      await requestJob(publish, id);
      return id;
    },
    cancel: (id: string) => cancelJob({ records, publish }, id, new Date(now())),
    start: (job: string, more: Partial<JobStartDependencies> = {}) =>
      jobStart({ job }, { ...starting, ...more }),
    /** Delivers what was published, and what follows from it; what comes too early stays. */
    async deliver(more: Partial<JobStartDependencies> = {}): Promise<NotYet[]> {
      const early: NotYet[] = [];
      const again: JobRequested[] = [];
      for (let step = 0; queue.length > 0; step++) {
        if (step > 50) throw new Error('It goes on for ever');
        const message = queue.shift() as JobRequested;
        try {
          await jobStart(message, { ...starting, ...more });
        } catch (error) {
          if (!(error instanceof NotYet)) throw error;
          early.push(error);
          again.push(message);
        }
      }
      queue.push(...again);
      return early;
    },
    /** A job that has its machine. */
    async place(more: object = {}): Promise<string> {
      const id = await used.submit(more);
      await used.deliver();
      const record = await read(id);
      if (record.state !== 'starting') throw new Error(`It is ${record.state}: ${record.reason}`);
      return id;
    },
    sweep: (more: Partial<MachineSweepDependencies> = {}) =>
      machineSweep({ time: wholeHour }, { ...sweeping, ...more }),
    /** Some minutes pass, in each of which there is a sweep. */
    async pass(minutes: number): Promise<void> {
      for (let step = 0; step < minutes; step++) {
        clock.ahead += minute;
        await used.sweep();
        await used.deliver();
      }
    },
    /** The same with one sweep at the end: for what only waits. */
    async later(minutes: number): Promise<void> {
      clock.ahead += (minutes - 1) * minute;
      await used.pass(1);
    },
    /** A report as a machine writes it, and its event. */
    async report(
      id: string,
      sequence: number,
      phase: Report['phase'],
      { attempt = 1, ...more }: Partial<Report> = {},
    ): Promise<void> {
      const name = reportName({ job: id, attempt, sequence });
      const at = new Date().toISOString();
      await derived.file(name).save(JSON.stringify({ job: id, attempt, sequence, phase, at, ...more }), {
        preconditionOpts: { ifGenerationMatch: 0 },
      });
      await used.hear(name);
    },
    finish: (id: string, sequence: number, outcome: Report['outcome'], more: Partial<Report> = {}) =>
      used.report(id, sequence, 'finished', { outcome, ...more }),
    async hear(name: string, more: Partial<HearDependencies> = {}): Promise<void> {
      const [{ generation }] = await derived.file(name).getMetadata();
      const event = { bucket: 'derived', name, generation: String(generation) };
      await jobEvent(event, { ...hearing, ...more });
    },
    /** The events of what real machines have reported meanwhile. */
    async listen(id: string): Promise<void> {
      const [files] = await derived.getFiles({ prefix: `jobs/${id}/attempts/` });
      for (const { name } of files) {
        if (!name.includes('/reports/') || heard.has(name)) continue;
        heard.add(name);
        await used.hear(name);
      }
    },
    /** Every insert that reached the server. */
    async inserts(): Promise<Insert[]> {
      const seen = await requestsAt(cloud, 'compute');
      return seen.flatMap(({ method, url, status, detail }) => {
        const { pathname, searchParams } = new URL(url, cloud.origin);
        const zone = /zones\/([^/]+)\/instances$/.exec(pathname)?.[1];
        if (method !== 'POST' || !zone) return [];
        // A fault strikes before the request is read.
        const { body } = (detail ?? {}) as { body: Insert['body'] };
        return [{ zone, status, requestId: searchParams.get('requestId') ?? '', body }];
      });
    },
    /** How often this operation of Compute Engine was asked for. */
    async asked(op: string): Promise<number> {
      const seen = await requestsAt(cloud, 'compute');
      return seen.filter(({ detail }) => (detail as { op?: string } | undefined)?.op === op).length;
    },
    /** `zone/name` of every machine of the project, whoever made it. */
    machines: async (): Promise<string[]> => namesIn(cloud, 'instances'),
    disks: async (): Promise<string[]> => namesIn(cloud, 'disks'),
    async cooldown() {
      return (await records.read(cooldownRecord, Cooldown))?.value.blocked ?? {};
    },
    /** As somebody does who has the console open. */
    async removeByHand(id: string, attempt = 1): Promise<void> {
      const { candidate } = (await read(id)).attempts[attempt - 1] ?? {};
      await service.remove(candidate?.zone ?? '', `gazeline-${id}-${attempt}`);
    },
    async preempt(id: string, attempt = 1): Promise<void> {
      const { candidate } = (await read(id)).attempts[attempt - 1] ?? {};
      const name = `gazeline-${id}-${attempt}`;
      const answer = await fetch(`${cloud.origin}/_local/compute/preempt`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ zone: candidate?.zone, name }),
      });
      if (!answer.ok) throw new Error(await answer.text());
      while ((await service.look(candidate?.zone ?? '', name))?.status.match(/RUNNING|STOPPING/))
        await sleep(20);
    },
    async bill(): Promise<Run[]> {
      return (await (await fetch(`${cloud.origin}/_local/compute/bill`)).json()) as Run[];
    },
    /** Nothing of one test is there in the next. */
    async clear(): Promise<void> {
      await setFaults(cloud);
      await setCompute(cloud, fast);
      clock.ahead = 0;
      queue.length = 0;
      log.entries.length = 0;
      for (const machine of await used.machines()) {
        const [zone = '', name = ''] = machine.split('/');
        await service.remove(zone, name);
      }
      for (const disk of await used.disks()) {
        const [zone = '', name = ''] = disk.split('/');
        await service.removeDisk({ zone, name });
      }
      for (const bucket of [storage.bucket('state'), derived]) await bucket.deleteFiles({ force: true });
      await fetch(`${cloud.origin}/_local/requests`, { method: 'DELETE' });
    },
    change: (id: string, event: Parameters<typeof changeJob>[2]) => changeJob(records, id, event),
  };
  await used.clear();
  return used;
}
export type Jobs = Awaited<ReturnType<typeof openJobs>>;

export type Run = {
  name: string;
  zone: string;
  machineType: string;
  provisioningModel: string;
  startedAt: string;
  endedAt?: string;
};

const smallest = {
  name: 'Train',
  repository: 'https://github.com/lab/analysis',
  command: 'true',
  accelerators: ['L4'],
  regions: ['europe-west4'],
};

async function namesIn({ origin, project }: Cloud, kind: 'instances' | 'disks'): Promise<string[]> {
  const answer = await fetch(`${origin}/compute/v1/projects/${project}/aggregated/${kind}`);
  const { items } = (await answer.json()) as {
    items: Record<string, { [kind: string]: { name: string }[] }>;
  };
  return Object.entries(items).flatMap(([scope, content]) =>
    (content[kind] ?? []).map(({ name }) => `${scope.replace('zones/', '')}/${name}`),
  );
}

/** A stock-out of L4 in these zones. */
export const soldOut = (...zones: string[]) =>
  zones.map((zone) => ({ service: 'compute', kind: 'stockOut', machine: { zone } }));

export const statesOf = ({ history }: JobRecord): string[] => history.map(({ state }) => state);
