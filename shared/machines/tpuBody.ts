import type { tpu_v2 } from 'googleapis/build/src/apis/tpu/v2.js';
import type { JobRecord } from '../jobs/jobRecord.ts';
import { type TpuName, tpus } from './accelerators.ts';
import type { Candidate } from './candidate.ts';
import { checkSeconds } from './instanceBody.ts';
import { labelsOf, type MachineSettings, metadataOf } from './machineMetadata.ts';
import { machineName, requestIdOf } from './names.ts';

type CreateRequest = tpu_v2.Params$Resource$Projects$Locations$Queuedresources$Create;

/** How long the service looks for a TPU before it gives up: another zone may have one. */
const validSeconds = 600;

/**
 * The queued resource that makes the TPU node of an attempt; both have the name of the machine. TPUs have no
 * `maxRunDuration`: the start-up script keeps to `gazeline-seconds`, and what is left after it, the sweep deletes.
 */
export function tpuRequest(
  record: JobRecord,
  attempt: number,
  candidate: Candidate,
  { seconds, round, settings }: { seconds: number; round: number; settings: MachineSettings },
): CreateRequest {
  const tpu = tpus[candidate.machineType as TpuName];
  if (candidate.kind !== 'tpu' || !tpu) throw new Error(`${candidate.machineType} is no type of a TPU`);
  checkSeconds(seconds);
  const parent = `projects/${settings.project}/locations/${candidate.zone}`;
  const name = machineName(record.id, attempt);
  const subnetwork = settings.subnetworks?.[candidate.region];
  return {
    parent,
    queuedResourceId: name,
    requestId: requestIdOf(record.id, attempt, candidate, round),
    requestBody: {
      ...(candidate.model === 'spot' ? { spot: {} } : { guaranteed: {} }),
      queueingPolicy: { validUntilDuration: `${validSeconds}s` },
      tpu: {
        nodeSpec: [
          {
            parent,
            nodeId: name,
            node: {
              acceleratorType: candidate.machineType,
              runtimeVersion: tpu.runtime,
              description: `Attempt ${attempt} of the job ${record.id}`,
              networkConfig: {
                network: settings.network ?? 'global/networks/default',
                ...(subnetwork ? { subnetwork } : {}),
                enableExternalIps: settings.externalAddress !== false,
              },
              serviceAccount: {
                email: settings.serviceAccount,
                scope: ['https://www.googleapis.com/auth/cloud-platform'],
              },
              labels: labelsOf(record, attempt, settings),
              metadata: { ...metadataOf(record, attempt, settings), 'gazeline-seconds': String(seconds) },
            },
          },
        ],
      },
    },
  };
}
