import { runOf } from '../jobs/job.ts';
import type { JobRecord } from '../jobs/jobRecord.ts';
import { labelValue } from './names.ts';

/** What a lab's machines have in common. */
export type MachineSettings = {
  project: string;
  /** The name of the lab's installation, for the label: two of them may share a project. */
  lab: string;
  rawBucket: string;
  derivedBucket: string;
  /** Of the machines alone, with as few rights as they need. */
  serviceAccount: string;
  /** `deploy/google/machine/start.sh`. */
  startupScript: string;
  /** Default `global/networks/default`. */
  network?: string;
  /** `regions/REGION/subnetworks/NAME` of each region; one that is missing has the network alone. */
  subnetworks?: { [region: string]: string };
  /** Default true: without one, the network needs Private Google Access and Cloud NAT. */
  externalAddress?: boolean;
  images?: { gpu?: ImageFamily; cpu?: ImageFamily };
  checkpointSeconds?: number;
  reportSeconds?: number;
  /** Endpoint of Cloud Storage. */
  storage?: string;
};

export type ImageFamily = {
  project: string;
  family: string;
  /** Gigabytes that a disk of it has at least. */
  minimumDisk: number;
};

/**
 * What the start-up script is told, one value each in plain text: bash has no parser for JSON.
 * https://cloud.google.com/compute/docs/metadata/overview
 */
export function metadataOf(
  record: JobRecord,
  attempt: number,
  settings: MachineSettings,
): { [key: string]: string } {
  const { job } = record;
  const { run, target } = runOf(job);
  const bucket = { raw: settings.rawBucket, derived: settings.derivedBucket };
  const [environment, requirements] = environmentOf(job.environment);
  const values: { [key: string]: string | undefined } = {
    'startup-script': settings.startupScript,
    'enable-guest-attributes': 'TRUE',
    'gazeline-job': record.id,
    'gazeline-attempt': String(attempt),
    'gazeline-name': job.name,
    'gazeline-repository': job.repository,
    'gazeline-commit': record.commit,
    'gazeline-ref': job.ref,
    'gazeline-run': run,
    'gazeline-target': target,
    'gazeline-arguments': job.arguments?.join('\n'),
    'gazeline-parameters': JSON.stringify(job.parameters),
    'gazeline-environment': environment,
    'gazeline-requirements': requirements,
    'gazeline-inputs': job.inputs
      .map((input) => [bucket[input.bucket], input.prefix, input.folder].join('\t'))
      .join('\n'),
    'gazeline-results': job.results.join('\n'),
    'gazeline-checkpoints': job.checkpoints,
    'gazeline-derived-bucket': settings.derivedBucket,
    'gazeline-checkpoint-seconds': String(settings.checkpointSeconds ?? 300),
    'gazeline-report-seconds': String(settings.reportSeconds ?? 30),
    'gazeline-storage': settings.storage ?? 'https://storage.googleapis.com',
  };
  // What is missing is not there at all: an empty value would be one.
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}

function environmentOf(environment: JobRecord['job']['environment']): [string, string | undefined] {
  if (environment?.pip) return ['pip', environment.pip];
  if (environment?.conda) return ['conda', environment.conda];
  if (environment?.container) return ['container', environment.container];
  return ['none', undefined];
}

export const labelsOf = (record: JobRecord, attempt: number, { lab }: MachineSettings) => ({
  'gazeline-lab': labelValue(lab),
  'gazeline-job': record.id,
  'gazeline-attempt': String(attempt),
  'gazeline-owner': labelValue(record.owner),
});
