import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud } from '../../deploy/local/cloud/cloud.ts';
import { clients } from '../../shared/clients.ts';
import type { ComputeClients } from '../../shared/machines/computeClients.ts';
import type { Records } from '../../shared/storage/records.ts';
import { recordsIn } from '../../shared/storage/records.ts';

export type Lab = {
  project: string;
  compute: ComputeClients;
  records: Records;
  /** Sets the local cloud up by one of its `/_local/` paths. */
  local(path: string, body: object): Promise<void>;
  /** Requests that reached its Compute Engine since this was called the last time. */
  calls(): Promise<{ method: string; url: string }[]>;
  close(): Promise<void>;
};

/** The local Compute Engine and Cloud Storage, and Google's own clients for them. */
export async function openLab(): Promise<Lab> {
  const dir = await mkdtemp(join(tmpdir(), 'gazeline-bench-'));
  const cloud = await startCloud({ dir });
  const { origin, project } = cloud;
  Object.assign(process.env, {
    GAZELINE_LOCAL_CLOUD: origin,
    GOOGLE_APPLICATION_CREDENTIALS: cloud.keyFile,
    GAZELINE_PROJECT: project,
    GAZELINE_STUDY_FOLDER: cloud.studyFolder,
    GAZELINE_RAW_BUCKET: 'raw',
    GAZELINE_DERIVED_BUCKET: 'derived',
    GAZELINE_STATE_BUCKET: 'state',
  });
  const storage = await clients.storage();
  await storage.createBucket('state');

  const local: Lab['local'] = async (path, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${origin}/_local/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
  };
  return {
    project,
    compute: await clients.compute(),
    records: recordsIn(storage, 'state'),
    local,
    async calls() {
      const answer = await fetch(`${origin}/_local/requests?service=compute`);
      await fetch(`${origin}/_local/requests`, { method: 'DELETE' });
      return ((await answer.json()) as { requests: { method: string; url: string }[] }).requests;
    },
    async close() {
      await cloud.close();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
