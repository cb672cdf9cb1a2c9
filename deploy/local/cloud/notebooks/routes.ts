import express, { type Request, type RequestHandler, type Router } from 'express';
import { zones } from '../compute/catalogue/zones.ts';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import { create, find, patch, remove, start, stop, type Wish } from './actions.ts';
import { checkId } from './body.ts';
import { listed } from './list.ts';
import { notFound, notHere } from './notebooksError.ts';
import { openNotebook } from './open.ts';
import { type Operation, operationResource } from './operations.ts';
import { nameOf, type Parts } from './parts.ts';
import { instanceResource, present } from './resource.ts';
import { changeSettings } from './settings.ts';

const mebibyte = 1024 ** 2;
const place = '/v2/projects/:project/locations/:location';

/**
 * https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2, and
 *
 *     POST /_local/notebooks/settings           replaces the settings; GET shows them
 *     GET  /_local/notebooks/open/ZONE/INSTANCE   leads to its Jupyter
 */
export function notebookRoutes(parts: Parts): Router {
  const { context, settings, tables, machines } = parts;

  /** Names the operation and keeps what was sent; then comes the fault that is Workbench's own. */
  const handled =
    (op: string, answer: (request: Request<Record<string, string>>) => object): RequestHandler =>
    (request, response) => {
      response.locals.detail = { op, ...(request.body === undefined ? {} : { body: request.body }) };
      const { project, location = '' } = request.params as Record<string, string>;
      const path = decodeURIComponent(request.path);
      const isDenied = context.faults.strike('notebooks', ['permissionDenied'], {
        method: request.method,
        path,
      });
      if (isDenied || project !== context.project)
        throw new GoogleError(
          403,
          'forbidden',
          `Permission 'notebooks.${op}' denied on resource '${path.replace('/v2/', '')}' (or it may not exist).`,
        );
      if (location !== '-') checkZone(location);
      response.json(answer(request as Request<Record<string, string>>));
    };

  const unreachable = () => [...settings.unreachableZones, ...machines.parts.settings.unreachableZones];
  /** @throws 403, 503 */
  const checkZone = (zone: string) => {
    if (!zones.includes(zone) || machines.parts.settings.closedZones.includes(zone))
      throw new GoogleError(403, 'forbidden', `Location ${zone} is not found or access is unauthorized.`);
  };
  const answering = (zone: string) => {
    if (unreachable().includes(zone))
      throw new GoogleError(503, 'backendError', `The service is currently unavailable in ${zone}.`);
  };
  const wishOf = ({ params, query, body }: Request<Record<string, string>>): Wish => {
    const { location: zone = '', instance: name = '' } = params;
    answering(zone);
    const requestId = query.requestId ?? body?.requestId;
    return { zone, name, ...(requestId ? { requestId: String(requestId) } : {}) };
  };
  const begun = (operation: Operation) => operationResource(parts, operation);

  return express
    .Router()
    .get('/_local/notebooks/settings', (_request, response) => void response.json(settings))
    .post('/_local/notebooks/settings', express.json(), changeSettings(settings))
    .get('/_local/notebooks/open/:zone/:name', openNotebook(parts))
    .use(`${place}/instances`, jsonBody(mebibyte))
    .post(
      `${place}/instances`,
      handled('instances.create', (request) => {
        const wish = wishOf(request);
        const name = String(request.query.instanceId ?? '');
        checkId(name);
        return begun(create(parts, { ...wish, name }, request.body));
      }),
    )
    .get(
      `${place}/instances`,
      handled('instances.list', (request) => {
        const { location = '' } = request.params;
        if (location !== '-') answering(location);
        const found = tables.instances.all().flatMap((notebook) => {
          const isWanted =
            location === '-' ? !unreachable().includes(notebook.zone) : notebook.zone === location;
          const one = isWanted ? present(parts, notebook) : undefined;
          return one
            ? [{ name: notebook.name, zone: notebook.zone, resource: instanceResource(parts, one) }]
            : [];
        });
        const missing = location === '-' ? unreachable() : [];
        return listed(
          request,
          'instances',
          found,
          [...new Set(missing)].map((zone) => nameOf(context, zone, '').slice(0, -1)),
        );
      }),
    )
    .get(
      `${place}/instances/:instance`,
      handled('instances.get', (request) => instanceResource(parts, find(parts, wishOf(request)))),
    )
    .patch(
      `${place}/instances/:instance`,
      handled('instances.update', (request) =>
        begun(patch(parts, wishOf(request), String(request.query.updateMask ?? ''), request.body)),
      ),
    )
    .delete(
      `${place}/instances/:instance`,
      handled('instances.delete', (request) => begun(remove(parts, wishOf(request)))),
    )
    .post(`${place}/instances/:call`, (request, response, next) => {
      const [instance = '', verb = ''] = (request.params.call ?? '').split(':');
      const action = { start, stop }[verb];
      if (!action) throw notHere(`method ${verb}`);
      const named = (given: Request<Record<string, string>>) => ({ ...wishOf(given), name: instance });
      handled(`instances.${verb}`, (given) => begun(action(parts, named(given))))(request, response, next);
    })
    .get(
      `${place}/operations/:operation`,
      handled('operations.get', ({ params }) => {
        const { location = '', operation: name = '' } = params;
        answering(location);
        const operation = tables.operations.get({ zone: location, name });
        if (!operation) throw notFound(nameOf(context, location, `operations/${name}`));
        return begun(operation);
      }),
    )
    .get(`${place}/operations`, (request, response, next) => {
      const { location } = request.params;
      const all = tables.operations.all().filter(({ zone }) => location === '-' || zone === location);
      // TPUs have operations of the same place: at Google, at another host. Who has none leaves the answer to them.
      if (all.length === 0) return next();
      const found = all.map((one) => ({ name: one.name, zone: one.zone, resource: begun(one) }));
      handled('operations.list', (given) => listed(given, 'operations', found, []))(request, response, next);
    });
}
