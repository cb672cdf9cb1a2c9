import type { Context } from '../../service.ts';
import { acceleratorNamed } from '../catalogue/accelerators.ts';
import { type Image, imageAt } from '../catalogue/images.ts';
import { machineTypeIn } from '../catalogue/machineTypes.ts';
import { alreadyExists, ComputeError, invalidField, notFound } from '../computeError.ts';
import type { Disk } from '../disks.ts';
import { newId, pathTo } from '../parts.ts';
import type { Tables } from '../tables.ts';
import type { readBody } from './body.ts';
import { checkName } from './body.ts';
import { type Instance, isSpot } from './instance.ts';
import { readLabels } from './labels.ts';

type Body = ReturnType<typeof readBody>;

/** The machine that a request describes, with its disks. @throws 400, 404 and 409 in Google's words */
export function plan(
  context: Context,
  tables: Tables,
  zone: string,
  body: Body,
): { instance: Instance; disks: Disk[] } {
  const created = new Date().toISOString();
  const { name } = body;
  const labels = readLabels(body.labels);
  const typeName = lastOf(body.machineType);
  const type = machineTypeIn(zone, typeName);
  if (!type || !isIn(zone, body.machineType))
    throw invalidField('resource.machineType', body.machineType, 'The referenced resource does not exist.');
  const attached = (body.guestAccelerators ?? []).map(({ acceleratorType, acceleratorCount }) => {
    const found = acceleratorNamed(lastOf(acceleratorType));
    if (!found?.zones.includes(zone) || !isIn(zone, acceleratorType))
      throw invalidField(
        'resource.guestAccelerators[0].acceleratorType',
        acceleratorType,
        'The referenced resource does not exist.',
      );
    // Only N1 machines have no accelerators of their own. https://cloud.google.com/compute/docs/gpus#n1-gpus
    if (
      !/^n1-/.test(typeName) ||
      ['nvidia-l4', 'nvidia-tesla-a100'].includes(found.name) ||
      /80gb/.test(found.name)
    )
      throw new ComputeError(
        400,
        'badRequest',
        `[${typeName}, ${found.name}] features are not compatible for creating instance.`,
      );
    if (acceleratorCount > found.maximum || !Number.isInteger(Math.log2(acceleratorCount)))
      throw invalidField(
        'resource.guestAccelerators[0].acceleratorCount',
        String(acceleratorCount),
        'It is not offered.',
      );
    return { type: found.name, count: acceleratorCount };
  });
  const accelerators = [...type.accelerators, ...attached];
  const instance: Instance = {
    id: newId(),
    name,
    zone,
    status: 'PROVISIONING',
    body: { ...body, labels },
    machineType: typeName,
    accelerators,
    disks: [],
    localSsds: type.localSsds,
    ip: addressOf(tables),
    created,
  };
  const { onHostMaintenance } = body.scheduling;
  // What is not said is MIGRATE, but for spot machines. https://cloud.google.com/compute/docs/gpus/gpu-host-maintenance
  if (accelerators.length > 0 && onHostMaintenance !== 'TERMINATE' && !isSpot(instance))
    throw new ComputeError(
      400,
      'badRequest',
      'Instances with guest accelerators do not support live migration.',
    );

  const disks: Disk[] = [];
  for (const [index, disk] of (body.disks ?? []).entries()) {
    const field = `resource.disks[${index}]`;
    if (disk.type === 'SCRATCH') {
      instance.localSsds++;
      continue;
    }
    if (disk.source)
      throw new ComputeError(501, 'notImplemented', 'The local Compute Engine attaches no disks that exist.');
    const { diskName, diskSizeGb, diskType, sourceImage, labels: diskLabels } = disk.initializeParams;
    const image = imageOf(`${field}.initializeParams.sourceImage`, sourceImage, disk.boot);
    const sizeGb = diskSizeGb ?? image?.diskSizeGb ?? 500;
    if (image && sizeGb < image.diskSizeGb)
      throw invalidField(
        `${field}.diskSizeGb`,
        String(sizeGb),
        `Requested disk size cannot be smaller than the image size (${image.diskSizeGb} GB)`,
      );
    const given = diskName ?? (disk.boot ? name : `${name}-${index}`.slice(-63));
    checkName(`${field}.initializeParams.diskName`, given);
    if (tables.disks.get({ zone, name: given }))
      throw alreadyExists(pathTo(context, `zones/${zone}/disks/${given}`));
    instance.disks.push({ name: given, sizeGb, boot: disk.boot, autoDelete: disk.autoDelete });
    disks.push({
      id: newId(),
      name: given,
      zone,
      sizeGb,
      type: lastOf(diskType ?? 'pd-standard'),
      sourceImage: image ? `projects/${image.project}/global/images/${image.name}` : '',
      labels: readLabels(diskLabels),
      created,
      user: name,
    });
  }
  return { instance, disks };
}

function imageOf(field: string, source: string | undefined, isBoot: boolean): Image | undefined {
  if (!source) {
    if (isBoot) throw invalidField(field, '', 'Boot disk must have a source specified');
    return undefined;
  }
  const image = imageAt(source);
  if (!image) {
    const path = /projects\/.+$/.exec(source)?.[0];
    throw path ? notFound(path) : invalidField(field, source, 'The URL is malformed.');
  }
  return image;
}

const lastOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** `zones/Z/machineTypes/T`, `projects/P/zones/Z/…` or a URL of it; a name alone will not do. */
const isIn = (zone: string, path: string) => /(?:^|\/)zones\/([^/]+)\/[^/]+\/[^/]+$/.exec(path)?.[1] === zone;

/** Of the default network, the lowest that is free. */
function addressOf(tables: Tables): string {
  const used = new Set(tables.instances.all().map(({ ip }) => ip));
  for (let host = 2; ; host++) {
    const ip = `10.128.${host >> 8}.${host & 255}`;
    if (!used.has(ip)) return ip;
  }
}
