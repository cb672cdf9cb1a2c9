import type { Request } from 'express';
import { ComputeError, notFound } from '../computeError.ts';
import { type Disk, diskResource } from '../disks.ts';
import { aggregated, listed } from '../lists/list.ts';
import { type Parts, pathTo } from '../parts.ts';
import { type On, requestIdOf, zoneOf } from './request.ts';

/** disks: get, list, aggregatedList, delete. They are made with their instance. */
export function diskRoutes(parts: Parts, on: On): void {
  const { context, tables, settings, operations, folders } = parts;
  const all = () =>
    tables.disks.all().map((disk) => ({ zone: disk.zone, resource: diskResource(context, disk) }));
  const diskOf = (request: Request<Record<string, string>>): Disk => {
    const key = { zone: zoneOf(parts, request), name: request.params.disk ?? '' };
    const disk = tables.disks.get(key);
    if (!disk) throw notFound(pathTo(context, `zones/${key.zone}/disks/${key.name}`));
    return disk;
  };

  on('get', '/zones/:zone/disks', 'disks.list', (request, response) => {
    const zone = zoneOf(parts, request);
    const items = all().filter((item) => item.zone === zone);
    response.json(listed(context, request, 'disk', `zones/${zone}/disks`, items));
  });
  on('get', '/aggregated/disks', 'disks.aggregatedList', (request, response) => {
    response.json(aggregated(context, request, settings, 'disk', 'disks', all()));
  });
  on('get', '/zones/:zone/disks/:disk', 'disks.get', (request, response) => {
    response.json(diskResource(context, diskOf(request)));
  });
  on('delete', '/zones/:zone/disks/:disk', 'disks.delete', (request, response) => {
    const { zone = '', disk: name = '' } = request.params;
    const target = `zones/${zone}/disks/${name}`;
    const requestId = requestIdOf(request);
    const before = operations.replay({ operationType: 'delete', target, requestId });
    if (before && settings.rememberRequestIds) return response.json(operations.resource(before));
    const disk = diskOf(request);
    if (disk.user)
      throw new ComputeError(
        400,
        'resourceInUseByAnotherResource',
        `The disk resource '${pathTo(context, target)}' is already being used by '${pathTo(context, `zones/${zone}/instances/${disk.user}`)}'`,
      );
    const operation = operations.begin({
      zone,
      operationType: 'delete',
      target,
      targetId: disk.id,
      requestId,
    });
    tables.disks.remove(disk);
    folders.remove(zone, name);
    operations.finish(operation);
    response.json(operations.resource(tables.operations.get(operation) ?? operation));
  });
}
