import { acceleratorTypes, regionOf, runtimeVersions, zones } from '../catalogue.ts';
import { locationName, type Parts } from '../parts.ts';
import { found, listed, type On, zoneOf } from './request.ts';

/** What there is to choose from, and operations: locations, acceleratorTypes, runtimeVersions, operations. */
export function catalogueRoutes(parts: Parts, on: On): void {
  const { context, tables, settings, operations } = parts;
  const accelerators = acceleratorTypes.flatMap(({ name, type, topology, zones }) =>
    zones.map((zone) => ({
      zone,
      resource: {
        name: `${locationName(context, zone)}/acceleratorTypes/${name}`,
        type: name,
        acceleratorConfigs: [{ type, topology }],
      },
    })),
  );
  const runtimes = zones.flatMap((zone) =>
    runtimeVersions.map((version) => ({
      zone,
      resource: { name: `${locationName(context, zone)}/runtimeVersions/${version}`, version },
    })),
  );
  for (const [plural, items] of [
    ['acceleratorTypes', accelerators],
    ['runtimeVersions', runtimes],
  ] as const) {
    on('get', `/${plural}`, `${plural}.list`, (request, response) => {
      response.json(listed(parts, request, plural, [...items]));
    });
    on('get', `/${plural}/:id`, `${plural}.get`, (request, response) => {
      const name = `${locationName(context, zoneOf(parts, request))}/${plural}/${request.params.id}`;
      response.json(found([...items].find(({ resource }) => resource.name === name)?.resource, name));
    });
  }

  on('get', '/operations', 'operations.list', (request, response) => {
    const items = tables.operations.all().map((operation) => ({
      zone: operation.zone,
      resource: {
        ...operations.resource(operation),
        name: `${locationName(context, operation.zone)}/operations/${operation.name}`,
      },
    }));
    response.json(listed(parts, request, 'operations', items));
  });
  on('get', '/operations/:operation', 'operations.get', (request, response) => {
    const zone = zoneOf(parts, request);
    const { operation: name = '' } = request.params;
    const operation = tables.operations.get({ zone, name });
    response.json(operations.resource(found(operation, `${locationName(context, zone)}/operations/${name}`)));
  });

  const location = (zone: string) => ({
    name: locationName(context, zone),
    locationId: zone,
    labels: { 'cloud.googleapis.com/region': regionOf(zone) },
  });
  on('get', '', 'locations.get', (request, response) => {
    response.json(location(zoneOf(parts, request)));
  });
  on('get', '', 'locations.list', (_request, response) => {
    const open = zones.filter((zone) => !settings.closedZones.includes(zone));
    response.json({ locations: open.map(location) });
  });
}
