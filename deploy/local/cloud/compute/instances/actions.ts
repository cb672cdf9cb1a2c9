import type { Key } from '../../zonal.ts';
import { alreadyExists, ComputeError, notReady } from '../computeError.ts';
import type { Operation } from '../operations.ts';
import { type Parts, pathTo } from '../parts.ts';
import { readBody } from './body.ts';
import { foreseen } from './faulty.ts';
import type { Instance } from './instance.ts';
import { plan } from './plan.ts';

export const targetOf = ({ zone, name }: Key): string => `zones/${zone}/instances/${name}`;

/** Begins an operation on an instance. */
function begin({ operations }: Parts, operationType: string, instance: Instance, requestId?: string) {
  const { zone, id: targetId } = instance;
  return operations.begin({ zone, operationType, target: targetOf(instance), targetId, requestId });
}

function done({ operations, tables }: Parts, operation: Operation): Operation {
  operations.finish(operation);
  return tables.operations.get(operation) ?? operation;
}

/** @throws 400, 403, 404 and 409 in Google's words */
export function insertInstance(parts: Parts, zone: string, given: unknown, requestId?: string): Operation {
  const { context, tables, settings, life } = parts;
  const body = readBody(given, settings.shortestRun);
  const key = { zone, name: body.name };
  if (tables.instances.get(key)) throw alreadyExists(pathTo(context, targetOf(key)));
  const { instance, disks } = plan(context, tables, zone, body);
  const failure = foreseen(context, tables, settings, instance);
  const operation = begin(parts, 'insert', instance, requestId);
  life.create(instance, disks, operation, failure);
  return operation;
}

/** @throws 400 if it neither runs nor is off */
export function stopInstance(parts: Parts, instance: Instance, requestId?: string): Operation {
  if (instance.status === 'TERMINATED') return done(parts, begin(parts, 'stop', instance, requestId));
  if (instance.status !== 'RUNNING') throw notReady(pathTo(parts.context, targetOf(instance)));
  const operation = begin(parts, 'stop', instance, requestId);
  parts.life.end(instance, false, operation);
  return operation;
}

/** @throws 400 if it neither runs nor is off, 403 for a quota that is told at once */
export function startInstance(parts: Parts, instance: Instance, requestId?: string): Operation {
  const { context, tables, settings, life } = parts;
  if (instance.status === 'RUNNING') return done(parts, begin(parts, 'start', instance, requestId));
  if (instance.status !== 'TERMINATED') throw notReady(pathTo(context, targetOf(instance)));
  const failure = foreseen(context, tables, settings, instance);
  const operation = begin(parts, 'start', instance, requestId);
  life.start(instance, operation, failure);
  return operation;
}

/** @throws 400 if it is protected */
export function deleteInstance(parts: Parts, instance: Instance, requestId?: string): Operation {
  if (instance.body.deletionProtection)
    throw new ComputeError(
      400,
      'invalid',
      `Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion. Please verify the instance ${instance.name} is not protected against deletion before attempting to delete it.'.`,
    );
  const operation = begin(parts, 'delete', instance, requestId);
  parts.life.end(instance, true, operation);
  return operation;
}

export function setLabels(
  parts: Parts,
  instance: Instance,
  labels: Record<string, string>,
  requestId?: string,
): Operation {
  parts.tables.instances.put({ ...instance, body: { ...instance.body, labels } });
  return done(parts, begin(parts, 'setLabels', instance, requestId));
}

/** The guest sees it at once. */
export function setMetadata(
  parts: Parts,
  instance: Instance,
  items: { key: string; value?: string | undefined }[],
  requestId?: string,
): Operation {
  parts.tables.instances.put({ ...instance, body: { ...instance.body, metadata: { items } } });
  const runtime = parts.life.runtime(instance);
  if (runtime?.metadata)
    runtime.metadata.attributes = Object.fromEntries(items.map(({ key, value = '' }) => [key, value]));
  runtime?.live?.metadata.changed();
  return done(parts, begin(parts, 'setMetadata', instance, requestId));
}
