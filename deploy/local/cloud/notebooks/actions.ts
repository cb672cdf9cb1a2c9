import { randomBytes, randomUUID } from 'node:crypto';
import { regionOf } from '../compute/catalogue/zones.ts';
import { ComputeError } from '../compute/computeError.ts';
import {
  deleteInstance,
  insertInstance,
  setLabels,
  setMetadata,
  startInstance,
  stopInstance,
} from '../compute/instances/actions.ts';
import type { Operation as ComputeOperation } from '../compute/operations.ts';
import { GoogleError } from '../googleError.ts';
import { readBody } from './body.ts';
import { Busy, invalid, notFound, notHere } from './notebooksError.ts';
import { newOperation, type Operation, refusalOf } from './operations.ts';
import { nameOf, type Parts } from './parts.ts';
import { type Present, present } from './resource.ts';
import type { Notebook } from './tables.ts';
import { itemsOf, labelsOf, machineBody, systemMetadata } from './virtualMachine.ts';

/** What is wished for, and by which request. */
export type Wish = { zone: string; name: string; requestId?: string | undefined };

/** @throws 404 */
export function find(parts: Parts, { zone, name }: Wish): Present {
  const notebook = parts.tables.instances.get({ zone, name });
  const one = notebook && present(parts, notebook);
  if (!one) throw notFound(nameOf(parts.context, zone, `instances/${name}`));
  return one;
}

/** Does what a request asks for once: when it comes again with the same id, the operation is the same. */
function once(parts: Parts, wish: Wish, verb: Operation['verb'], begin: () => Operation): Operation {
  const { tables } = parts;
  const { zone, name, requestId } = wish;
  const before =
    requestId &&
    tables.operations
      .all()
      .find(
        (one) => one.requestId === requestId && one.verb === verb && one.zone === zone && one.target === name,
      );
  if (before) return before;
  const operation = begin();
  tables.operations.put(operation);
  return operation;
}

/** What Compute Engine refuses is told by the operation, but for a machine that is on its way. */
function ask(wish: Wish, verb: Operation['verb'], work: () => ComputeOperation): Operation {
  const { zone, name: target, requestId } = wish;
  try {
    return newOperation({ zone, verb, target, requestId, compute: work().name });
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    if (error.reason === 'resourceNotReady') throw new Busy();
    return newOperation({ zone, verb, target, requestId, error: refusalOf(error) });
  }
}

/** @throws 400, 409 */
export function create(parts: Parts, wish: Wish, given: unknown): Operation {
  const { context, tables, machines } = parts;
  const { zone, name } = wish;
  const body = readBody(given);
  return once(parts, wish, 'create', () => {
    const before = tables.instances.get({ zone, name });
    if (before && present(parts, before))
      throw new GoogleError(
        409,
        'alreadyExists',
        `Resource '${nameOf(context, zone, `instances/${name}`)}' already exists`,
      );
    const proxyUri = `${randomBytes(8).toString('hex')}-dot-${regionOf(zone)}.notebooks.googleusercontent.com`;
    return ask(wish, 'create', () => {
      const insert = insertInstance(machines.parts, zone, machineBody(context, wish, body, proxyUri));
      const created = new Date().toISOString();
      tables.instances.put({
        zone,
        name,
        id: randomUUID(),
        machineId: insert.targetId,
        body,
        proxyUri,
        created,
        updated: created,
        insert: insert.name,
      });
      return insert;
    });
  });
}

/** @throws 404, 409 */
export function start(parts: Parts, wish: Wish): Operation {
  const machine = machineOf(parts, find(parts, wish));
  return once(parts, wish, 'start', () =>
    ask(wish, 'start', () => startInstance(parts.machines.parts, machine)),
  );
}

/** @throws 404, 409 */
export function stop(parts: Parts, wish: Wish): Operation {
  const machine = machineOf(parts, find(parts, wish));
  return once(parts, wish, 'stop', () =>
    ask(wish, 'stop', () => stopInstance(parts.machines.parts, machine)),
  );
}

/** Its machine goes with it, and its disks. @throws 400, 404 */
export function remove(parts: Parts, wish: Wish): Operation {
  return once(parts, wish, 'delete', () => {
    const { notebook, machine } = find(parts, wish);
    if (notebook.body.enableDeletionProtection)
      throw invalid(`Instance '${notebook.name}' is protected against deletion.`);
    const { zone, name: target, requestId } = wish;
    if (!machine) {
      parts.tables.instances.remove(notebook);
      return newOperation({ zone, verb: 'delete', target, requestId });
    }
    const operation = ask(wish, 'delete', () => deleteInstance(parts.machines.parts, machine));
    if (!operation.error) parts.tables.instances.put({ ...notebook, isLeaving: true });
    return operation;
  });
}

const camel = (path: string) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/**
 * Labels and metadata, each as a whole, but for what is Workbench's own.
 * @throws 400, 404, 409, 501
 */
export function patch(parts: Parts, wish: Wish, updateMask: string, given: unknown): Operation {
  const { context, tables, machines } = parts;
  const fields = updateMask.split(',').map((path) => camel(path.trim()));
  if (updateMask === '') throw invalid('update_mask must be specified.');
  const known = ['labels', 'gceSetup.metadata'];
  const other = fields.find((field) => !known.includes(field));
  if (other) throw notHere(`change of ${other}`);
  const body = readBody(given);
  return once(parts, wish, 'update', () => {
    const { notebook } = find(parts, wish);
    const machine = machineOf(parts, { notebook, machine: machines.get(notebook) });
    const changed: Notebook = {
      ...notebook,
      updated: new Date().toISOString(),
      body: {
        ...notebook.body,
        ...(fields.includes('labels') ? { labels: body.labels } : {}),
        gceSetup: {
          ...notebook.body.gceSetup,
          ...(fields.includes('gceSetup.metadata') ? { metadata: body.gceSetup.metadata } : {}),
        },
      },
    };
    context.store.transaction(() => {
      tables.instances.put(changed);
      setLabels(machines.parts, machine, labelsOf(context, wish, changed.body));
      const labelled = machines.get(notebook) ?? machine;
      const system = systemMetadata(notebook.proxyUri, changed.body);
      setMetadata(machines.parts, labelled, itemsOf(system, changed.body.gceSetup.metadata));
    });
    const { zone, name: target, requestId } = wish;
    return newOperation({ zone, verb: 'update', target, requestId });
  });
}

function machineOf({ context }: Parts, { notebook, machine }: Present) {
  if (machine?.id === notebook.machineId) return machine;
  throw notFound(`projects/${context.project}/zones/${notebook.zone}/instances/${notebook.name}`);
}
