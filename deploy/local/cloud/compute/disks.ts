import type { Context } from '../service.ts';
import { linkTo } from './parts.ts';

/** A disk as it is stored. */
export type Disk = {
  id: string;
  name: string;
  zone: string;
  sizeGb: number;
  type: string;
  sourceImage: string;
  labels: Record<string, string>;
  created: string;
  /** The name of the instance that it is attached to. */
  user?: string;
  lastDetach?: string;
};

/** https://cloud.google.com/compute/docs/reference/rest/v1/disks */
export function diskResource(context: Context, disk: Disk): object {
  const { id, name, zone, sizeGb, type, sourceImage, labels, created, user, lastDetach } = disk;
  return {
    kind: 'compute#disk',
    id,
    name,
    zone: linkTo(context, `zones/${zone}`),
    status: 'READY',
    sizeGb: String(sizeGb),
    type: linkTo(context, `zones/${zone}/diskTypes/${type}`),
    sourceImage: `${context.origin()}/compute/v1/${sourceImage}`,
    labels,
    creationTimestamp: created,
    physicalBlockSizeBytes: '4096',
    ...(user
      ? { users: [linkTo(context, `zones/${zone}/instances/${user}`)], lastAttachTimestamp: created }
      : {}),
    ...(lastDetach ? { lastDetachTimestamp: lastDetach } : {}),
    selfLink: linkTo(context, `zones/${zone}/disks/${name}`),
  };
}
