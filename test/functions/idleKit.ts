import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cloud } from '../../deploy/local/cloud/cloud.ts';
import { type IdleSweepDependencies, idleSweep } from '../../functions/idle-sweep.ts';
import { noticesTopic, sendNotice } from '../../shared/budget/sendNotice.ts';
import { clients } from '../../shared/clients.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import type { Heartbeat } from '../../shared/machines/idle/heartbeat.ts';
import { IdleRecord, idleFolder } from '../../shared/machines/idle/idleRecord.ts';
import { idleVms } from '../../shared/machines/idle/idleVms.ts';
import { utilization } from '../../shared/machines/idle/utilization.ts';
import { workbench } from '../../shared/machines/idle/workbench.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { tpuNodes } from '../../shared/machines/tpuNodes.ts';
import { publishTo } from '../../shared/publish.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { makeTopic, pullAll } from '../deploy/local/cloud/billing/kit.ts';
import { clientsOf, insert, machine, until, zone } from '../deploy/local/cloud/compute/kit.ts';
import { cpu, setMonitoring, setSeries } from '../deploy/local/cloud/monitoring/kit.ts';
import { forgetRequests, rememberLog, requestsAt, setFaults } from '../kit.ts';

export const minute = 60_000;
export const hour = 60 * minute;
export const iso = (at: number) => new Date(at).toISOString();
const second = (at: number) => iso(at).replace(/\.\d+Z$/, 'Z');

type Item = { key: string; value: string };

/** Hears what its agent says where a test writes it. */
const listening = 'echo "$GCE_METADATA_HOST" > host.new; mv host.new host; sleep 1000';

/** The sweep with all that it asks and acts on, as in a lab; machines were started six hours ago by its clock. */
export async function openIdle(cloud: Cloud & { dir: string }) {
  const storage = await clients.storage();
  if (!(await storage.bucket('state').exists())[0]) {
    await storage.createBucket('state');
    await makeTopic(cloud, noticesTopic);
  }
  const records = recordsIn(storage, 'state');
  const given = await clients.compute();
  const compute = computeEngine(cloud.project, given);
  const publish = publishTo(await clients.pubsub(), cloud.project);
  const monitoring = await clients.monitoring();
  const log = rememberLog();
  const clock = { now: Date.now() + 6 * hour };
  const tpus = tpuNodes(cloud.project, await clients.tpu());
  const google = clientsOf(cloud);
  const settings = { isSampling: false };

  const dependencies = (): IdleSweepDependencies => ({
    project: cloud.project,
    vms: idleVms(cloud.project, given),
    compute,
    remove: compute.remove,
    tpus,
    prices: priceTable(),
    workbench: workbench(cloud.project, clients.notebooks, {
      wait: () => new Promise((resolve) => setTimeout(resolve, 50)),
    }),
    measure: (of, window, now) =>
      utilization(monitoring, of, { project: cloud.project, window, now, patience: 2000 }),
    notify: (notice) => sendNotice(notice, { publish, webhook: undefined, log }),
    records,
    policy: { after: hour, countdown: 15 * minute, grace: 30 * minute, hardLimit: 12 * hour },
    isRehearsal: false,
    discardLocalSsd: false,
    log,
    now: () => clock.now,
  });
  const setTime = (more: object = {}) =>
    setMonitoring(cloud, { ...settings, ...more, clock: { at: iso(clock.now), speed: 0 } });
  /** A load that does not change, from its start to a day from now. */
  const load = (name: string, value: number, metric = cpu, labels: Record<string, string> = {}, at = zone) =>
    setSeries(cloud, {
      metric,
      instance: { zone: at, name },
      labels,
      constant: { from: clock.now - 6 * hour, to: clock.now + 24 * hour, value },
    });

  return {
    clock,
    log,
    records,
    compute,
    google,
    given,
    dependencies,
    setTime,
    load,
    sweep: (overrides: Partial<IdleSweepDependencies> = {}) =>
      idleSweep({ time: new Date(clock.now) }, { ...dependencies(), ...overrides }),
    pass: async (minutes: number) => {
      clock.now += minutes * minute;
      await setTime();
    },
    /** A machine on which next to nothing happens. */
    start: async (
      name: string,
      more: object = {},
      { items = [], script = listening, at = zone }: { items?: Item[]; script?: string; at?: string } = {},
    ) => {
      const metadata = [
        { key: 'startup-script', value: script },
        { key: 'enable-guest-attributes', value: 'TRUE' },
      ];
      const body = {
        ...machine(name, script, { machineType: `zones/${at}/machineTypes/e2-standard-2`, ...more }),
        metadata: { items: [...metadata, ...items] },
      };
      const done = await insert(cloud, google, body, { zone: at });
      if (done.error) throw new Error(JSON.stringify(done.error));
      await load(name, 0.02, cpu, {}, at);
    },
    /** What the agent on this machine would write now. */
    speak: async (name: string, heartbeat: Partial<Heartbeat> = {}) => {
      const host = await until(() =>
        readFile(join(cloud.dir, 'machines', zone, name, 'host'), 'utf8').catch(() => undefined),
      );
      const answer = await fetch(
        `http://${host.trim()}/computeMetadata/v1/instance/guest-attributes/gazeline/heartbeat`,
        {
          method: 'PUT',
          headers: { 'metadata-flavor': 'Google' },
          body: JSON.stringify({ at: second(clock.now), ...heartbeat }),
        },
      );
      if (!answer.ok) throw new Error(await answer.text());
    },
    ago: (minutes: number) => second(clock.now - minutes * minute),
    statusOf: async (name: string, at = zone) => (await compute.look(at, name))?.status,
    labelsOf: async (name: string) => (await compute.look(zone, name))?.labels ?? {},
    recordOf: async (name: string): Promise<IdleRecord> => {
      for await (const one of records.list(idleFolder)) {
        const record = (await records.read(one, IdleRecord))?.value;
        if (record?.name === name) return record;
      }
      throw new Error(`there is no record of ${name}`);
    },
    /** What was asked of Compute Engine and Workbench and is no question. */
    changes: async () =>
      [...(await requestsAt(cloud, 'compute')), ...(await requestsAt(cloud, 'notebooks'))].flatMap(
        ({ method, url }) => {
          const [, what] = /\/(instances\/.*)$/.exec(url) ?? [];
          return method !== 'GET' && what ? [what.replace(/[?&]requestId=[^&]*/, '').replace(/\?$/, '')] : [];
        },
      ),
    notices: async () => (await pullAll(cloud, noticesTopic)).map(({ data }) => data),
    forget: async () => {
      await setFaults(cloud);
      for await (const name of records.list('')) await records.remove(name);
      const { machines } = await compute.listAll();
      await Promise.all(machines.map(({ name, zone: at }) => compute.remove(at, name)));
      await pullAll(cloud, noticesTopic);
      log.entries.length = 0;
      clock.now = Math.max(clock.now, Date.now() + 6 * hour);
      await setTime();
      await forgetRequests(cloud);
    },
  };
}
