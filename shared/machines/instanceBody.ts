import type { protos } from '@google-cloud/compute';
import { leastSeconds, mostHours } from '../jobs/job.ts';
import type { JobRecord } from '../jobs/jobRecord.ts';
import type { Candidate } from './candidate.ts';
import { type ImageFamily, labelsOf, type MachineSettings, metadataOf } from './machineMetadata.ts';
import { machineName, requestIdOf } from './names.ts';

type InsertRequest = protos.google.cloud.compute.v1.IInsertInstanceRequest;

/** Deep Learning VM with the driver installed. The family ages with CUDA: when it is gone, the lab names another one. */
const gpuImage: ImageFamily = {
  project: 'deeplearning-platform-release',
  family: 'common-cu129-ubuntu-2204-nvidia-580',
  minimumDisk: 50,
};
const cpuImage: ImageFamily = { project: 'debian-cloud', family: 'debian-12', minimumDisk: 10 };

/**
 * The request that makes the machine of an attempt. It carries its own end: whatever becomes of Gazeline, the machine and
 * its disk are deleted after `seconds` (https://cloud.google.com/compute/docs/instances/limit-vm-runtime). The client
 * drops misspelt fields without a word, so tests look at what reaches the server.
 * @param seconds whole ones, from 30
 * @param round how many requests of this attempt were refused before
 */
export function instanceRequest(
  record: JobRecord,
  attempt: number,
  candidate: Candidate,
  { seconds, round, settings }: { seconds: number; round: number; settings: MachineSettings },
): InsertRequest {
  if (candidate.kind !== 'vm') throw new Error(`${candidate.machineType} is no type of a VM`);
  checkSeconds(seconds);
  const { zone, region, machineType, model } = candidate;
  const hasGpu = candidate.guestAccelerators.length > 0 || /^(g2|a[234])-/.test(machineType);
  const image = hasGpu ? (settings.images?.gpu ?? gpuImage) : (settings.images?.cpu ?? cpuImage);
  const labels = labelsOf(record, attempt, settings);
  const subnetwork = settings.subnetworks?.[region];
  return {
    project: settings.project,
    zone,
    requestId: requestIdOf(record.id, attempt, candidate, round),
    instanceResource: {
      name: machineName(record.id, attempt),
      description: `Attempt ${attempt} of the job ${record.id}`,
      machineType: `zones/${zone}/machineTypes/${machineType}`,
      guestAccelerators: candidate.guestAccelerators.map(({ type, count }) => ({
        acceleratorType: `zones/${zone}/acceleratorTypes/${type}`,
        acceleratorCount: count,
      })),
      labels,
      scheduling: {
        provisioningModel: model === 'spot' ? 'SPOT' : 'STANDARD',
        maxRunDuration: { seconds },
        instanceTerminationAction: 'DELETE',
        automaticRestart: false,
        // The only possible value with a GPU or as spot. Another machine may move, which takes nothing from the job.
        onHostMaintenance: hasGpu || model === 'spot' ? 'TERMINATE' : 'MIGRATE',
      },
      disks: [
        {
          boot: true,
          autoDelete: true,
          initializeParams: {
            sourceImage: `projects/${image.project}/global/images/family/${image.family}`,
            diskSizeGb: Math.max(record.job.disk, image.minimumDisk),
            diskType: `zones/${zone}/diskTypes/${candidate.diskType}`,
            labels,
          },
        },
      ],
      networkInterfaces: [
        {
          network: settings.network ?? 'global/networks/default',
          ...(subnetwork ? { subnetwork } : {}),
          ...(settings.externalAddress === false
            ? {}
            : { accessConfigs: [{ name: 'External NAT', type: 'ONE_TO_ONE_NAT' }] }),
        },
      ],
      serviceAccounts: [
        { email: settings.serviceAccount, scopes: ['https://www.googleapis.com/auth/cloud-platform'] },
      ],
      metadata: {
        items: Object.entries(metadataOf(record, attempt, settings)).map(([key, value]) => ({ key, value })),
      },
    },
  };
}

export function checkSeconds(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < leastSeconds || seconds > mostHours * 3600)
    throw new Error(`a machine cannot be limited to ${seconds} seconds`);
}
