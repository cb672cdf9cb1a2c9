import { accelerators } from '../catalogue/accelerators.ts';
import { imageAt, images } from '../catalogue/images.ts';
import { machineTypeIn, machineTypes, zonesOfType } from '../catalogue/machineTypes.ts';
import {
  acceleratorResource,
  idOf,
  imageResource,
  machineTypeResource,
  since,
  zoneResource,
} from '../catalogue/resources.ts';
import { regions, zones, zonesOf } from '../catalogue/zones.ts';
import { notFound } from '../computeError.ts';
import { aggregated, listed } from '../lists/list.ts';
import { linkTo, type Parts, pathTo } from '../parts.ts';
import { quotasOf } from '../quotas.ts';
import { type On, zoneOf } from './request.ts';

/** What there is to choose from: machineTypes, acceleratorTypes, images, zones, regions; and the project. */
export function catalogueRoutes(parts: Parts, on: On): void {
  const { context, tables, settings } = parts;
  const types = machineTypes.flatMap((type) =>
    zonesOfType(type).map((zone) => ({ zone, resource: () => machineTypeResource(context, zone, type) })),
  );
  const chips = accelerators.flatMap((type) =>
    type.zones.map((zone) => ({ zone, resource: () => acceleratorResource(context, zone, type) })),
  );
  const shown = (items: readonly { zone: string; resource: () => object }[]) =>
    items.map(({ zone, resource }) => ({ zone, resource: resource() }));

  for (const [kind, plural, items] of [
    ['machineType', 'machineTypes', types],
    ['acceleratorType', 'acceleratorTypes', chips],
  ] as const) {
    on('get', `/aggregated/${plural}`, `${plural}.aggregatedList`, (request, response) => {
      response.json(aggregated(context, request, settings, kind, plural, shown(items)));
    });
    on('get', `/zones/:zone/${plural}`, `${plural}.list`, (request, response) => {
      const zone = zoneOf(parts, request);
      const here = items.filter((item) => item.zone === zone);
      response.json(listed(context, request, kind, `zones/${zone}/${plural}`, shown(here)));
    });
  }
  on('get', '/zones/:zone/machineTypes/:type', 'machineTypes.get', (request, response) => {
    const zone = zoneOf(parts, request);
    const { type: name = '' } = request.params;
    const type = machineTypeIn(zone, name);
    if (!type) throw notFound(pathTo(context, `zones/${zone}/machineTypes/${name}`));
    response.json(machineTypeResource(context, zone, type));
  });
  on('get', '/zones/:zone/acceleratorTypes/:type', 'acceleratorTypes.get', (request, response) => {
    const zone = zoneOf(parts, request);
    const { type: name } = request.params;
    const type = accelerators.find((one) => one.name === name && one.zones.includes(zone));
    if (!type) throw notFound(pathTo(context, `zones/${zone}/acceleratorTypes/${name}`));
    response.json(acceleratorResource(context, zone, type));
  });

  on('get', '/zones', 'zones.list', (request, response) => {
    const open = zones.filter((zone) => !settings.closedZones.includes(zone));
    const items = open.map((zone) => ({ zone, resource: zoneResource(context, settings, zone) }));
    response.json(listed(context, request, 'zone', 'zones', items));
  });
  on('get', '/zones/:zone', 'zones.get', (request, response) => {
    const { zone = '' } = request.params;
    if (!zones.includes(zone)) throw notFound(pathTo(context, `zones/${zone}`));
    response.json(zoneResource(context, settings, zone));
  });
  const regionResource = (region: string) => ({
    kind: 'compute#region',
    id: idOf(region),
    name: region,
    description: region,
    status: 'UP',
    creationTimestamp: since,
    zones: zonesOf(region).map((zone) => linkTo(context, `zones/${zone}`)),
    quotas: quotasOf(tables.instances.all(), settings, region),
    selfLink: linkTo(context, `regions/${region}`),
  });
  on('get', '/regions', 'regions.list', (request, response) => {
    const items = regions.map((region) => ({ zone: '', resource: regionResource(region) }));
    response.json(listed(context, request, 'region', 'regions', items));
  });
  on('get', '/regions/:region', 'regions.get', (request, response) => {
    const { region = '' } = request.params;
    if (!regions.includes(region)) throw notFound(pathTo(context, `regions/${region}`));
    response.json(regionResource(region));
  });

  on('get', '/global/images', 'images.list', (request, response) => {
    const { project = '' } = request.params;
    const items = images
      .filter((image) => image.project === project)
      .map((image) => ({ zone: '', resource: imageResource(context, image) }));
    response.json(listed(context, request, 'image', 'global/images', items));
  });
  for (const [path, op, folder] of [
    ['/global/images/family/:name', 'images.getFromFamily', 'global/images/family'],
    ['/global/images/:name', 'images.get', 'global/images'],
  ] as const) {
    on('get', path, op, (request, response) => {
      const source = `projects/${request.params.project}/${folder}/${request.params.name}`;
      const image = imageAt(source);
      if (!image) throw notFound(source);
      response.json(imageResource(context, image));
    });
  }

  on('get', '', 'projects.get', (_request, response) => {
    response.json({
      kind: 'compute#project',
      id: '100000000000',
      name: context.project,
      creationTimestamp: since,
      defaultServiceAccount: `gazeline@${context.project}.iam.gserviceaccount.com`,
      quotas: quotasOf(tables.instances.all(), settings),
      selfLink: `${context.origin()}/compute/v1/projects/${context.project}`,
    });
  });
}
