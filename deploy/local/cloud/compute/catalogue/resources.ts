import type { Context } from '../../service.ts';
import { linkTo } from '../parts.ts';
import type { Settings } from '../settings.ts';
import type { AcceleratorType } from './accelerators.ts';
import type { Image } from './images.ts';
import type { MachineType } from './machineTypes.ts';
import { regionOf } from './zones.ts';

/** What Google says of everything that has always been there. */
export const since = '1969-12-31T16:00:00.000-08:00';

/** A number that follows from a name. */
export const idOf = (name: string): string =>
  String([...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1e9, 7));

export function machineTypeResource(context: Context, zone: string, type: MachineType) {
  const { name, cpus, memoryMb, accelerators, isSharedCpu } = type;
  return {
    kind: 'compute#machineType',
    id: idOf(name),
    name,
    description: `${cpus} vCPUs, ${memoryMb / 1024} GB RAM`,
    guestCpus: cpus,
    memoryMb,
    imageSpaceGb: 0,
    maximumPersistentDisks: isSharedCpu ? 16 : 128,
    maximumPersistentDisksSizeGb: isSharedCpu ? '3072' : '263168',
    isSharedCpu,
    ...(accelerators.length > 0
      ? {
          accelerators: accelerators.map(({ type, count }) => ({
            guestAcceleratorType: type,
            guestAcceleratorCount: count,
          })),
        }
      : {}),
    creationTimestamp: since,
    zone,
    selfLink: linkTo(context, `zones/${zone}/machineTypes/${name}`),
  };
}

export function acceleratorResource(context: Context, zone: string, type: AcceleratorType) {
  const { name, description, maximum } = type;
  return {
    kind: 'compute#acceleratorType',
    id: idOf(name),
    name,
    description,
    maximumCardsPerInstance: maximum,
    creationTimestamp: since,
    zone: linkTo(context, `zones/${zone}`),
    selfLink: linkTo(context, `zones/${zone}/acceleratorTypes/${name}`),
  };
}

export function zoneResource(context: Context, settings: Settings, zone: string) {
  return {
    kind: 'compute#zone',
    id: idOf(zone),
    name: zone,
    description: zone,
    status: settings.unreachableZones.includes(zone) ? 'DOWN' : 'UP',
    creationTimestamp: since,
    region: linkTo(context, `regions/${regionOf(zone)}`),
    selfLink: linkTo(context, `zones/${zone}`),
  };
}

export function imageResource({ origin }: Context, { project, family, name, diskSizeGb, created }: Image) {
  return {
    kind: 'compute#image',
    id: idOf(name),
    name,
    family,
    status: 'READY',
    sourceType: 'RAW',
    architecture: 'X86_64',
    diskSizeGb: String(diskSizeGb),
    creationTimestamp: created,
    selfLink: `${origin()}/compute/v1/projects/${project}/global/images/${name}`,
  };
}
