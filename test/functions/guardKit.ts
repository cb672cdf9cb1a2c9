import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cloud } from '../../deploy/local/cloud/cloud.ts';
import { type BudgetGuardDependencies, budgetGuard } from '../../functions/budget-guard.ts';
import { detach } from '../../shared/budget/detach.ts';
import { GuardRecord, guardRecordName } from '../../shared/budget/guardRecord.ts';
import { Thresholds } from '../../shared/budget/levels.ts';
import { periodAt } from '../../shared/budget/period.ts';
import { noticesTopic, sendNotice } from '../../shared/budget/sendNotice.ts';
import { clients } from '../../shared/clients.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { type Stoppable, stopAll } from '../../shared/machines/stopAll.ts';
import { publishTo } from '../../shared/publish.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { makeTopic, type Notification, pullAll } from '../deploy/local/cloud/billing/kit.ts';
import { clientsOf as computeClientsOf, insert, machine, zone } from '../deploy/local/cloud/compute/kit.ts';
import { rememberLog, requestsAt } from '../kit.ts';

export const budgetId = 'budget-1';

/** What Google says of the budget of 100 dollars. */
export const notification = (costAmount: number, more: object = {}): Notification => ({
  attributes: { billingAccountId: '012345-567890-ABCDEF', budgetId, schemaVersion: '1.0' },
  data: {
    budgetDisplayName: 'The lab',
    costAmount,
    costIntervalStart: '2026-11-01T07:00:00Z',
    budgetAmount: 100,
    budgetAmountType: 'SPECIFIED_AMOUNT',
    currencyCode: 'USD',
    ...more,
  },
});

/** The guard with all that it acts on, as it is in a lab, and a clock of its own. */
export async function openGuard(cloud: Cloud & { dir: string }) {
  const storage = await clients.storage();
  if (!(await storage.bucket('state').exists())[0]) {
    await storage.createBucket('state');
    await makeTopic(cloud, noticesTopic);
  }
  const state = recordsIn(storage, 'state');
  const compute = computeEngine(cloud.project, await clients.compute());
  const publish = publishTo(await clients.pubsub(), cloud.project);
  const log = rememberLog();
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') };
  const now = () => clock.now;
  const detaching = { isOn: false, allowed: [] as string[] };
  const webhook: { url: string | undefined } = { url: undefined };
  const dependencies = (): BudgetGuardDependencies => ({
    records: state,
    project: cloud.project,
    budgets: [budgetId],
    billingAccount: '012345-567890-ABCDEF',
    currency: 'USD',
    periodKind: 'month',
    amount: undefined,
    thresholds: Thresholds.parse(detaching.isOn ? { detached: 2 } : {}),
    actions: {
      notify: (notice) => sendNotice(notice, { publish, webhook: webhook.url, log, patience: 200 }),
      stopIdle: async () => ({ results: [], complete: true }),
      stopAll: (isWanted) => stopAll(isWanted, { services: [compute], discardLocalSsd: false, log, now }),
      detach: (isRehearsal) =>
        detach(isRehearsal, { billing: clients.billing, project: cloud.project, ...detaching }),
    },
    lease: 60_000,
    secondThoughts: 30 * 60_000,
    log,
    now,
  });
  const deliver = (
    { attributes, data }: Notification,
    overrides: Partial<BudgetGuardDependencies> = {},
    publishedAt = new Date(clock.now).toISOString(),
  ) => budgetGuard(data, { attributes, publishedAt }, { ...dependencies(), ...overrides });

  const google = computeClientsOf(cloud);
  return {
    clock,
    log,
    publish,
    records: state,
    detaching,
    webhook,
    dependencies,
    deliver,
    estimate: (cost: number, overrides: Partial<BudgetGuardDependencies> = {}, more: object = {}) => {
      const periodStart = periodAt(clock.now, 'month').start;
      const asOf = new Date(clock.now).toISOString();
      const estimate = { periodStart, cost, currency: 'USD', asOf, ...more };
      return deliver({ attributes: {}, data: { estimate } }, overrides);
    },
    guard: async () => (await state.read(guardRecordName, GuardRecord))?.value as GuardRecord,
    start: async (name: string, more: object = {}, script = 'sleep 100') => {
      const done = await insert(cloud, google, machine(name, script, more));
      if (done.error) throw new Error(JSON.stringify(done.error));
    },
    statusOf: async (name: string) => (await compute.look(zone, name))?.status,
    /** The machines that somebody asked to stop, in that order, with the query. */
    stops: async () =>
      (await requestsAt(cloud, 'compute')).flatMap(({ method, url }) => {
        const [, name, query] = /\/instances\/([^/]+)\/stop(.*)$/.exec(url) ?? [];
        return method === 'POST' && name ? [{ name, query }] : [];
      }),
    notices: async () => (await pullAll(cloud, noticesTopic)).map(({ data }) => data),
    /** As if nothing had ever been spent. */
    forget: async () => {
      for await (const name of state.list('')) await state.remove(name);
      const { machines } = await compute.listAll();
      await Promise.all(machines.map(({ name }) => compute.remove(zone, name)));
      await pullAll(cloud, noticesTopic);
    },
  };
}

/** A process that dies before the `n`th write of a record or action of its, or after it. */
export function dyingAt(
  n: number,
  when: 'before' | 'after',
  { records, actions }: Pick<BudgetGuardDependencies, 'records' | 'actions'>,
) {
  let count = 0;
  let isDead = false;
  const wrap = <T extends object>(object: T, free: string[]): T =>
    new Proxy(object, {
      get: (target, key) => {
        const value = Reflect.get(target, key);
        if (typeof value !== 'function' || free.includes(String(key))) return value;
        return async (...args: unknown[]) => {
          if (isDead) throw new Killed();
          const dies = ++count === n;
          if (dies && when === 'before') isDead = true;
          if (isDead) throw new Killed();
          const done = await value.apply(target, args);
          if (dies) isDead = true;
          if (isDead) throw new Killed();
          return done;
        };
      },
    });
  return {
    records: wrap(records, ['list']) as Records,
    actions: wrap(actions, []),
    hasDied: () => isDead,
  };
}
/** A machine for tests that need a hundred of them, one after the other: the local cloud takes a second for each. */
export function oneMachine() {
  let status = 'RUNNING';
  const stops: string[] = [];
  const service: Stoppable = {
    async listAll() {
      const machine = { kind: 'vm' as const, name: 'a', zone, status, labels: {}, createdAt: '' };
      return { machines: [machine], disks: [], unseen: [], wasSeen: () => true };
    },
    runs: (machine) => machine.status === 'RUNNING',
    async stop(_zone, name) {
      stops.push(name);
      status = 'TERMINATED';
      return { stopped: true };
    },
  };
  return { service, stops };
}

export class Killed extends Error {}

/** A chat: what it was sent, and how it answers. */
export async function startChat(answer: () => number | 'hang') {
  const texts: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      texts.push((JSON.parse(body) as { text: string }).text);
      const status = answer();
      if (status !== 'hang') response.writeHead(status).end('ok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T/B/secret`,
    texts,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
