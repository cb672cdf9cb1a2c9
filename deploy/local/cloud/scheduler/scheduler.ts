import express from 'express';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import type { PubSubService } from '../pubsub/pubsub.ts';
import type { Context, Service } from '../service.ts';
import { type Job, makeJob, readJob, scheduled } from './job.ts';

export type SchedulerOptions = {
  publish: PubSubService['publish'];
  /** Replaced by tests that cannot wait for the next minute. */
  now?: () => Date;
};

const jobs = '/v1/projects/:project/locations/:location/jobs';
const mebibyte = 1024 ** 2;
/** A clock may be set, and a laptop may sleep: nobody relies on a longer timer (ms). */
const longestSleep = 30_000;
const updatable = [
  'description',
  'schedule',
  'timeZone',
  'pubsubTarget',
  'retryConfig',
  'attemptDeadline',
] as const;

/**
 * Cloud Scheduler, with targets on Pub/Sub. Ticks that nobody was there for are not made up for.
 * https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs
 */
export function createScheduler({ store }: Context, options: SchedulerOptions): Service {
  const { publish, now = () => new Date() } = options;
  store.db.exec(`
    CREATE TABLE IF NOT EXISTS scheduler_jobs (
      name TEXT PRIMARY KEY,
      job TEXT NOT NULL,
      next TEXT AS (job ->> '$.scheduleTime')
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS scheduler_jobs_next ON scheduler_jobs (next)`);
  const select = store.db.prepare('SELECT job FROM scheduler_jobs WHERE name = ?');
  const put = store.db.prepare('INSERT OR REPLACE INTO scheduler_jobs (name, job) VALUES (?, ?)');
  const remove = store.db.prepare('DELETE FROM scheduler_jobs WHERE name = ?');
  const list = store.db.prepare(
    'SELECT job FROM scheduler_jobs WHERE name > ?2 AND substr(name, 1, length(?1)) = ?1 ORDER BY name LIMIT ?3',
  );
  const everyone = store.db.prepare('SELECT job FROM scheduler_jobs');
  const due = store.db.prepare('SELECT job FROM scheduler_jobs WHERE next <= ?');
  const first = store.db.prepare('SELECT min(next) next FROM scheduler_jobs');
  const parse = (row: Record<string, unknown>) => JSON.parse(row.job as string) as Job;

  const find = (name: string): Job => {
    const row = select.get(name);
    if (!row) throw new GoogleError(404, 'notFound', 'Job not found.');
    return parse(row);
  };
  const save = (job: Job): Job => {
    put.run(job.name, JSON.stringify(job));
    sleep();
    return job;
  };

  /** Publishes at once; that and its note in the job are one transaction. */
  const attempt = (job: Job): Job =>
    store.transaction(() => {
      const { topicName, data = '', attributes = {} } = job.pubsubTarget;
      const { status: _, ...rest } = { ...job, lastAttemptTime: now().toISOString() };
      try {
        publish(topicName, [{ data: Buffer.from(data, 'base64'), attributes }]);
        return save(rest);
      } catch (error) {
        if (!(error instanceof GoogleError)) throw error;
        // 5 is NOT_FOUND: the topic is not there (any more). https://grpc.io/docs/guides/status-codes/
        return save({ ...rest, status: { code: 5, message: error.message } });
      }
    });

  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  function sleep() {
    clearTimeout(timer);
    const next = first.get()?.next as string | null;
    if (!next || closed) return;
    timer = setTimeout(tick, Math.min(Math.max(Date.parse(next) - now().getTime(), 0), longestSleep)).unref();
  }
  function tick() {
    for (const row of due.all(now().toISOString())) attempt(scheduled(parse(row), now()));
    sleep();
  }
  for (const row of everyone.all()) save(scheduled(parse(row), now()));

  const nameOf = ({ project, location, job }: Record<string, string>) => {
    const name = `projects/${project}/locations/${location}/jobs/${job}`;
    if (!/^projects\/[^/]+\/locations\/[^/]+\/jobs\/[\w-]{1,500}$/.test(name))
      throw new GoogleError(400, 'invalidArgument', `Invalid job name: ${name}`);
    return name;
  };

  const router = express
    .Router()
    .use(jsonBody(mebibyte))
    .post(jobs, (request, response) => {
      const { project, location } = request.params;
      const job = readJob(request.body);
      const parent = `projects/${project}/locations/${location}/jobs/`;
      const id = job.name?.startsWith(parent)
        ? job.name.slice(parent.length)
        : (job.name ?? `job-${Date.now()}`);
      const name = nameOf({ project, location, job: id });
      if (select.get(name)) throw new GoogleError(409, 'alreadyExists', `Job ${name} already exists.`);
      response.json(save(makeJob(name, job, now())));
    })
    .get(jobs, ({ params: { project, location }, query }, response) => {
      const size = Math.min(Number(query.pageSize) || 500, 500);
      const prefix = `projects/${project}/locations/${location}/jobs/`;
      const after = Buffer.from(String(query.pageToken ?? ''), 'base64url').toString();
      const found = list.all(prefix, after, size + 1).map(parse);
      const last = found.length > size ? found[size - 1] : undefined;
      response.json({
        jobs: found.slice(0, size),
        ...(last ? { nextPageToken: Buffer.from(last.name).toString('base64url') } : {}),
      });
    })
    .get(`${jobs}/:job`, ({ params }, response) => void response.json(find(nameOf(params))))
    .patch(`${jobs}/:job`, ({ params, query, body }, response) => {
      const old = find(nameOf(params));
      const changes = (body ?? {}) as Record<string, unknown>;
      const wanted = readMask(query.updateMask) ?? updatable.filter((field) => field in changes);
      // What the mask leaves out may be half empty: gcloud sends `pubsubTarget: {}` with every change.
      const fields = readJob(Object.fromEntries(wanted.map((field) => [field, changes[field]])));
      const { state, lastAttemptTime, status } = old;
      const job = makeJob(old.name, { ...old, ...fields }, now());
      const kept = { state, ...(lastAttemptTime ? { lastAttemptTime } : {}), ...(status ? { status } : {}) };
      response.json(save(scheduled({ ...job, ...kept }, now())));
    })
    .delete(`${jobs}/:job`, ({ params }, response) => {
      remove.run(find(nameOf(params)).name);
      response.json({});
    })
    .post(`${jobs}/:call`, ({ params: { project, location, call } }, response) => {
      const [id = '', verb] = (call ?? '').split(':');
      const job = find(nameOf({ project, location, job: id }));
      if (verb === 'run') response.json(attempt(job));
      else if (verb === 'pause') response.json(save(scheduled({ ...job, state: 'PAUSED' }, now())));
      else if (verb === 'resume') response.json(save(scheduled({ ...job, state: 'ENABLED' }, now())));
      else throw new GoogleError(404, 'notFound', `The local Scheduler does not know ${verb}`);
    });

  return {
    name: 'scheduler',
    owns: /^\/v1\/projects\/[^/]+\/locations\/[^/]+\/jobs(\/|$)/,
    router,
    pending: () => 0,
    async close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** `schedule,timeZone` or `schedule,time_zone`. */
function readMask(mask: unknown): (typeof updatable)[number][] | undefined {
  if (typeof mask !== 'string' || mask === '') return undefined;
  return mask.split(',').map((path) => {
    const name = path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()).split('.')[0];
    const field = updatable.find((one) => one === name);
    if (!field) throw new GoogleError(400, 'invalidArgument', `Invalid update mask: ${path}`);
    return field;
  });
}
