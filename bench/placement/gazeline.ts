import { randomUUID } from 'node:crypto';
import { jobStart } from '../../functions/job-start.ts';
import { machineSweep } from '../../functions/machine-sweep.ts';
import { clients } from '../../shared/clients.ts';
import { readJobRecord } from '../../shared/jobs/changeJob.ts';
import type { Job } from '../../shared/jobs/job.ts';
import { jobRecordName } from '../../shared/jobs/jobRecord.ts';
import { activeName, submitJob } from '../../shared/jobs/submitJob.ts';
import type { Log } from '../../shared/log.ts';
import { computeEngine } from '../../shared/machines/computeEngine.ts';
import { cooldownRecord } from '../../shared/machines/cooldown.ts';
import { machineName } from '../../shared/machines/names.ts';
import { priceTable } from '../../shared/machines/priceTable.ts';
import { NotYet } from '../../shared/once.ts';
import type { Publish } from '../../shared/publish.ts';
import { retryPolicy } from '../../shared/trigger.ts';
import type { Clock } from './clock.ts';
import type { Lab } from './lab.ts';
import type { Placed } from './placed.ts';
import { simulatedTime, timedRecords } from './simulatedTime.ts';
import { minute, second, type World } from './world.ts';

/** From a publish until the function runs, warm; and what the first of a job waits more for an instance. */
export const delivery = 0.1 * second;
export const coldStart = 3 * second;

const silent: Log = { info() {}, warning() {}, error() {} };

/**
 * Gazeline's own functions, as `functions/index.ts` gives them their dependencies; of these the clock, the time that
 * requests take, and the chance are simulated.
 */
export function openGazeline(lab: Lab, world: World, clock: Clock, random: () => number) {
  const { compute, ranAt } = simulatedTime(lab, world, clock);
  const pass = async (ms: number) => clock.pass(ms);
  const service = computeEngine(lab.project, compute, pass, clock.now);
  const queue: { job: string }[] = [];
  const publish: Publish = async (_topic, messages) => {
    queue.push(...messages.map(({ data }) => data as { job: string }));
  };
  const common = {
    records: timedRecords(lab.records, clock),
    machines: async () => service,
    publish,
    log: silent,
    now: clock.now,
  };
  const settings = {
    project: lab.project,
    lab: 'bench',
    rawBucket: 'raw',
    derivedBucket: 'derived',
    serviceAccount: `machines@${lab.project}.iam.gserviceaccount.com`,
    // What runs on it is no part of this.
    startupScript: '#!/bin/bash\n',
  };
  const jobs: string[] = [];

  /** As Pub/Sub does: what is not acknowledged comes again, each time later. */
  async function deliver(request: { job: string }): Promise<void> {
    const raw = (await clients.storage()).bucket('raw');
    for (let failures = 0; failures < retryPolicy.attempts; failures++) {
      clock.pass(delivery);
      const limits = { patience: 2 * minute, deadline: clock.now() + 4 * minute, random };
      try {
        const rest = { raw, settings, prices: priceTable(), regions: undefined, allowFile: false };
        return await jobStart(request, { ...common, ...rest, ...limits });
      } catch (error) {
        if (!(error instanceof NotYet)) throw error;
        clock.pass(Math.min(retryPolicy.maximumBackoff, retryPolicy.minimumBackoff * 2 ** failures) * second);
      }
    }
  }

  return {
    /** From the submit until a machine runs, or none will; the clock is at the end of it. */
    async place(job: Job): Promise<Placed & { listCalls: number }> {
      // The local cloud would know the request ids of another job of the same name again.
      const key = randomUUID();
      await lab.calls();
      const { id } = await submitJob(common.records, { job, key, owner: 'bench' }, new Date(clock.now()));
      jobs.push(id);
      queue.push({ job: id });
      clock.pass(coldStart);
      for (;;) {
        const next = queue.shift();
        if (next) await deliver(next);
        const record = await readJobRecord(lab.records, id);
        if (!record) throw new Error(`the job ${id} is gone`);
        const isWaiting = ['queued', 'placing', 'waiting-for-capacity'].includes(record.state);
        if (!isWaiting) {
          const calls = await lab.calls();
          const lists = calls.filter(({ url }) => url.includes('/aggregated/')).length;
          const at = record.state === 'starting' ? ranAt() : undefined;
          const zone = record.attempts.at(-1)?.candidate?.zone ?? '';
          return { at, zone, calls: calls.length - lists, listCalls: lists };
        }
        if (queue.length > 0) continue;
        clock.until(Math.floor(clock.now() / minute + 1) * minute);
        await machineSweep(
          { time: new Date(clock.now()) },
          {
            ...common,
            derived: (await clients.storage()).bucket(settings.derivedBucket),
            lab: settings.lab,
            lastWords: minute,
            bootTime: 10 * minute,
            rescue: 0,
          },
        );
      }
    },
    /** Nothing is left of its jobs, nor of what they learned. */
    async forget(): Promise<void> {
      const real = computeEngine(lab.project, lab.compute);
      for (const id of jobs) {
        const record = await readJobRecord(lab.records, id);
        for (const { number, candidate } of record?.attempts ?? [])
          if (candidate) await real.remove(candidate.zone, machineName(id, number));
        await lab.records.remove(activeName(id));
        await lab.records.remove(jobRecordName(id));
      }
      await lab.records.remove(cooldownRecord);
    },
  };
}
