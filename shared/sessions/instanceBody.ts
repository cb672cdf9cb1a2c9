import type { notebooks_v2 } from 'googleapis/build/src/apis/notebooks/v2.js';
import { type GpuName, gpuNamed, gpuOf } from '../machines/accelerators.ts';
import type { Candidate } from '../machines/candidate.ts';
import { labelValue, uuid5 } from '../machines/names.ts';
import { bootDisk } from './candidates.ts';
import { imageNamed } from './images.ts';
import type { SessionRecord } from './sessionRecord.ts';

/** What a lab's sessions have in common. */
export type SessionSettings = {
  project: string;
  lab: string;
  rawBucket: string;
  derivedBucket: string;
  /** Of the machines; what a person does in a notebook is done by it, unless they sign in as themselves. */
  serviceAccount: string;
  network?: string;
  /** Endpoint of Cloud Storage. */
  storage?: string;
};

/** Of Workbench's instance, and so of its machine. No job's machine is called so. */
export const instanceId = (name: string): string => `session-${name}`;

export const sessionLabel = 'gazeline-session';
/** What is left of an earlier session of the same name, perhaps of somebody else, is told by it from this one. */
export const sessionIdLabel = 'gazeline-session-id';
export const sessionIdOf = ({ name, createdAt }: Pick<SessionRecord, 'name' | 'createdAt'>): string =>
  uuid5(`session/${name}/${createdAt}`);

/** Where the post-startup script lies; Workbench takes it from a bucket only. */
export const scriptName = 'sessions/start.sh';

/** The same request has the same id, and after one that was refused it is another: see `requestIdOf` of jobs. */
export const requestIdFor = (
  { name, createdAt, round }: SessionRecord,
  { zone, machineType }: Candidate,
): string => uuid5(['session', name, createdAt, zone, machineType, round].join('/'));

/**
 * What Workbench is asked for. The client drops misspelt fields without a word, so tests look at what reaches the server.
 * https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/projects.locations.instances
 */
export function instanceBody(
  record: SessionRecord,
  candidate: Candidate,
  settings: SessionSettings,
): notebooks_v2.Schema$Instance {
  const { name, session, owner } = record;
  const { machineType } = candidate;
  const diskType = enumOf(candidate.diskType);
  const gpu = gpuIn(candidate);
  return {
    labels: {
      [sessionLabel]: name,
      [sessionIdLabel]: sessionIdOf(record),
      'gazeline-lab': labelValue(settings.lab),
      'gazeline-owner': labelValue(owner),
    },
    // Without an owner, everybody who may use its service account gets in.
    ...(owner.includes('@') ? { instanceOwners: [owner] } : {}),
    gceSetup: {
      machineType,
      ...(gpu
        ? {
            // Also of those that belong to the type of the machine, as `gcloud workbench` does.
            acceleratorConfigs: [{ type: enumOf(gpuOf(gpu.name).type), coreCount: String(gpu.count) }],
            gpuDriverConfig: { enableGpuDriver: true },
          }
        : {}),
      ...imageNamed(session.image),
      bootDisk: { diskSizeGb: String(bootDisk), diskType },
      dataDisks: [{ diskSizeGb: String(session.disk), diskType }],
      serviceAccounts: [{ email: settings.serviceAccount }],
      ...(settings.network
        ? { networkInterfaces: [{ network: `projects/${settings.project}/${settings.network}` }] }
        : {}),
      metadata: metadataOf(session, settings),
    },
  };
}

/** `nvidia-tesla-t4` of Compute Engine is `NVIDIA_TESLA_T4` here. */
const enumOf = (name: string) => name.toUpperCase().replaceAll('-', '_');

/** `A100:2`; nothing for `cpu:4`. */
function gpuIn({ accelerator }: Candidate): { name: GpuName; count: number } | undefined {
  const [word = '', count = '1'] = accelerator.split(':');
  const name = gpuNamed(word);
  return name && { name, count: Number(count) };
}

/**
 * What Workbench and our script are told, each in plain text.
 * https://cloud.google.com/vertex-ai/docs/workbench/instances/manage-metadata
 */
function metadataOf(
  { repository, ref, data, idleMinutes }: SessionRecord['session'],
  { rawBucket, derivedBucket, storage }: SessionSettings,
): Record<string, string> {
  const bucket = { raw: rawBucket, derived: derivedBucket };
  return {
    'idle-timeout-seconds': String(idleMinutes * 60),
    'post-startup-script': `gs://${derivedBucket}/${scriptName}`,
    // The data may have changed since it was stopped.
    'post-startup-script-behavior': 'download_and_run_every_start',
    'gazeline-storage': storage ?? 'https://storage.googleapis.com',
    ...(repository ? { 'gazeline-repository': repository, 'gazeline-ref': ref } : {}),
    ...(data.length > 0
      ? {
          'gazeline-inputs': data
            .map((one) => [bucket[one.bucket], one.prefix, one.folder].join('\t'))
            .join('\n'),
        }
      : {}),
  };
}
