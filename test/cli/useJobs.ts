import { beforeAll } from '@jest/globals';
import { clients } from '../../shared/clients.ts';
import { advance, type JobEvent } from '../../shared/jobs/advance.ts';
import { JobRecord, jobRecordName } from '../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../shared/jobs/parseJob.ts';
import type { Report } from '../../shared/jobs/report.ts';
import { submitJob } from '../../shared/jobs/submitJob.ts';
import type { Candidate } from '../../shared/machines/candidate.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import { useLocalCloud } from '../localCloud.ts';
import { gazeline, type RunOptions } from './gazeline.ts';

/** A local cloud where nobody starts machines: what happens to a job is what a test says. */
export function useJobs() {
  const cloud = useLocalCloud();
  const used = {
    cloud,
    records: undefined as never as Records,
    run: (args: string[], options?: RunOptions) => gazeline(['job', ...args], options),
    /** Puts an object into the derived bucket, as a machine does. */
    async write(name: string, content: string | Buffer) {
      await (await clients.storage())
        .bucket('derived')
        .file(name)
        .save(content, { preconditionOpts: { ifGenerationMatch: 0 }, resumable: false });
    },
    /** Submits a job, and lets things happen to it. */
    async job(text: string, ...events: JobEvent[]): Promise<JobRecord> {
      const job = parseJob(text);
      const { id } = await submitJob(used.records, { job, key: text, owner: 'zoë' }, new Date());
      return used.happens(id, ...events);
    },
    happens: (id: string, ...events: JobEvent[]): Promise<JobRecord> =>
      used.records.update(jobRecordName(id), JobRecord, (record): JobRecord | undefined =>
        events.reduce((before, event) => advance(before, event), record as JobRecord),
      ) as Promise<JobRecord>,
    read: async (id: string) => (await used.records.read(jobRecordName(id), JobRecord))?.value,
  };
  beforeAll(async () => {
    const storage = await clients.storage();
    for (const name of ['raw', 'derived', 'state']) await storage.createBucket(name);
    const { topics } = (await clients.pubsub()).projects;
    await topics.create({ name: `projects/${cloud.project}/topics/job-requested` });
    used.records = recordsIn(storage, 'state');
  });
  return used;
}

export const candidate: Candidate = {
  kind: 'vm',
  region: 'us-east1',
  zone: 'us-east1-b',
  machineType: 'g2-standard-8',
  guestAccelerators: [],
  accelerator: 'L4',
  localSsd: false,
  model: 'spot',
  diskType: 'pd-balanced',
  price: { perHour: 4, asOf: '2026-01-01' },
};

/** The times of events, in seconds after a first moment. */
export const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

export const place = (seconds: number): JobEvent => ({ at: at(seconds), type: 'place' });

export const inserted = (attempt: number, seconds: number, of = candidate): JobEvent => ({
  at: at(seconds),
  type: 'inserted',
  attempt,
  candidate: of,
  insertedAt: at(seconds),
});

export const report = (
  job: string,
  attempt: number,
  sequence: number,
  seconds: number,
  more: Partial<Report>,
): JobEvent => ({
  at: at(seconds),
  type: 'report',
  report: { job, attempt, sequence, phase: 'running', at: at(seconds), ...more },
});

export const released = (attempt: number, seconds: number): JobEvent => ({
  at: at(seconds),
  type: 'released',
  attempt,
});
