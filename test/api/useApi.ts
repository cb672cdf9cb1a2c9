import { beforeAll } from '@jest/globals';
import { mintIdToken } from '../../deploy/local/cloud/token/mintIdToken.ts';
import { functions, topics as otherTopics } from '../../functions/index.ts';
import { type Annotation, annotationName } from '../../shared/annotation/annotation.ts';
import { accessRecordName } from '../../shared/api/access.ts';
import { clients } from '../../shared/clients.ts';
import { advance } from '../../shared/jobs/advance.ts';
import { JobRecord, jobRecordName } from '../../shared/jobs/jobRecord.ts';
import { parseJob } from '../../shared/jobs/parseJob.ts';
import { submitJob } from '../../shared/jobs/submitJob.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';
import type { Answer } from '../../shared/trigger.ts';
import { inserted, place, released, report } from '../cli/useJobs.ts';
import { rememberLog } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';

export const audience = 'https://api.example.org';

/** One account for each role. */
export const accountOf = (who: string) => `caller-${who}@gazeline-local.iam.gserviceaccount.com`;

type Options = { body?: unknown; headers?: Record<string, string>; as?: string };

/** The API in this process, over a local cloud with its buckets and topics. */
export function useApi() {
  const cloud = useLocalCloud();
  const tokens = new Map<string, Promise<string>>();
  const log = rememberLog();
  const used = {
    cloud,
    log,
    records: undefined as never as Records,
    token(who: string): Promise<string> {
      const token = tokens.get(who) ?? mintIdToken(cloud.origin, accountOf(who), audience);
      tokens.set(who, token);
      return token;
    },
    /** A request with these headers and no others. */
    async send(
      method: string,
      url: string,
      headers: Record<string, string>,
      body = '',
    ): Promise<Answer & { headers: Record<string, string>; text: string }> {
      const [path = '', search = ''] = url.split(/\?(.*)/s);
      const answer = await functions.api.handle(
        { method, path, search, headers, body: Buffer.from(body) },
        { name: 'api', logOf: () => log },
      );
      const { body: content } = answer;
      const text =
        typeof content === 'string' ? content : content === undefined ? '' : JSON.stringify(content);
      return { ...answer, headers: answer.headers ?? {}, text };
    },
    /** What an account with this role gets. */
    async ask(who: string, method: string, url: string, { body, headers = {}, as }: Options = {}) {
      const answer = await used.send(
        method,
        url,
        {
          authorization: `Bearer ${await used.token(who)}`,
          ...(body === undefined ? {} : { 'content-type': as ?? 'application/json' }),
          ...headers,
        },
        typeof body === 'string' ? body : JSON.stringify(body),
      );
      const isJson = /json/.test(answer.headers['content-type'] ?? '');
      return { ...answer, json: isJson && answer.text ? JSON.parse(answer.text) : undefined };
    },
  };
  beforeAll(async () => {
    Object.assign(process.env, {
      GAZELINE_API_URL: audience,
      GAZELINE_API_REQUESTS_PER_MINUTE: '1000000',
      GAZELINE_REGIONS: 'us-east1',
    });
    const storage = await clients.storage();
    await storage.createBucket('raw', { versioning: { enabled: true } });
    for (const name of ['derived', 'state']) await storage.createBucket(name);
    const { topics } = (await clients.pubsub()).projects;
    const ofFunctions = Object.values(functions).flatMap(({ trigger }) =>
      trigger.kind === 'http' ? [] : [trigger.topic],
    );
    for (const topic of [...ofFunctions, ...otherTopics])
      await topics.create({ name: `projects/${cloud.project}/topics/${topic}` });
    used.records = recordsIn(storage, 'state');
    const members = Object.fromEntries(
      ['reader', 'runner', 'admin'].map((role) => [accountOf(role), { role, person: `${role}@lab.edu` }]),
    );
    await used.records.write(accessRecordName, { members }, '0');
  });
  return used;
}

/** Puts an object somewhere. @returns its generation */
export async function put(bucket: 'raw' | 'derived', name: string, content: string): Promise<string> {
  const file = (await clients.storage()).bucket(bucket).file(name);
  const [isThere] = await file.exists();
  const ifGenerationMatch = isThere ? String((await file.getMetadata())[0].generation) : 0;
  await file.save(content, { resumable: false, preconditionOpts: { ifGenerationMatch } });
  return String(file.metadata.generation);
}

/** An annotation as `annotate` writes it. */
export async function annotate(name: string, areasOfInterest: Annotation['areasOfInterest']): Promise<void> {
  const annotation: Annotation = {
    kind: 'text',
    features: ['syntax'],
    annotator: { service: 'language.googleapis.com', version: 'v1', local: true, models: { test: '1' } },
    annotatedAt: '2026-01-01T00:00:00.000Z',
    areasOfInterest,
    problems: [],
    response: { tokens: [] },
    stimulus: {
      bucket: 'raw',
      name,
      generation: '1',
      md5: '00000000000000000000000000000000',
      size: 1,
      contentType: 'text/plain',
    },
    settings: { from: null },
  };
  await put('derived', annotationName(name), JSON.stringify(annotation));
}

/** A job that has had a machine, a log and results. @returns its id */
export async function completedJob({ records }: { records: Records }): Promise<string> {
  const text = 'name: Done\nrepository: https://github.com/our-lab/scanpaths\ncommand: make\n';
  const { id } = await submitJob(records, { job: parseJob(text), key: text, owner: 'ada' }, new Date());
  const events = [
    place(0),
    inserted(1, 10),
    report(id, 1, 1, 20, { phase: 'running' }),
    report(id, 1, 2, 30, { phase: 'finished', outcome: 'succeeded', exitCode: 0 }),
    released(1, 40),
  ];
  await records.update(jobRecordName(id), JobRecord, (record): JobRecord | undefined =>
    events.reduce((before, event) => advance(before, event), record as JobRecord),
  );
  await put('derived', `jobs/${id}/attempts/1/log/000001.txt`, 'begin\ngrö');
  await put('derived', `jobs/${id}/attempts/1/log/000002.txt`, 'ße\nend\n');
  await put('derived', `jobs/${id}/results/model.h5`, 'weights');
  const manifest = { attempt: 1, files: [{ path: 'model.h5', size: 7 }] };
  await put('derived', `jobs/${id}/results/manifest.json`, JSON.stringify(manifest));
  return id;
}
