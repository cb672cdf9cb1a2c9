import { randomBytes } from 'node:crypto';
import type { Failure } from '../compute/failure.ts';
import type { GoogleError } from '../googleError.ts';
import { nameOf, type Parts } from './parts.ts';
import { instanceResource, present, readyAt } from './resource.ts';

/** What went wrong, by the numbers of https://grpc.io/docs/guides/status-codes/. */
type Status = { code: number; message: string };

/** An operation as it is stored. Whether it is done is asked of Compute Engine each time. */
export type Operation = {
  zone: string;
  name: string;
  verb: 'create' | 'delete' | 'start' | 'stop' | 'update';
  /** The instance. */
  target: string;
  created: string;
  requestId?: string | undefined;
  /** The operation of Compute Engine that it waits for; without one it is done. */
  compute?: string | undefined;
  /** It never came to an operation of Compute Engine. */
  error?: Status;
};

const endpoints = {
  create: 'CreateInstance',
  delete: 'DeleteInstance',
  start: 'StartInstance',
  stop: 'StopInstance',
  update: 'UpdateInstance',
};

export function newOperation(what: Omit<Operation, 'name' | 'created'>): Operation {
  return {
    ...what,
    // At Google they are called as everywhere, and told from those of TPUs by their host.
    name: `workbench-${Date.now()}-${randomBytes(6).toString('hex')}`,
    created: new Date().toISOString(),
  };
}

/** https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/projects.locations.operations */
export function operationResource(parts: Parts, operation: Operation): object {
  const { context } = parts;
  const { zone, name, verb, target, created } = operation;
  const outcome = outcomeOf(parts, operation);
  return {
    name: nameOf(context, zone, `operations/${name}`),
    metadata: {
      '@type': 'type.googleapis.com/google.cloud.notebooks.v2.OperationMetadata',
      createTime: created,
      ...(outcome ? { endTime: outcome.endTime } : {}),
      target: nameOf(context, zone, `instances/${target}`),
      verb,
      requestedCancellation: false,
      apiVersion: 'v2',
      endpoint: endpoints[verb],
    },
    done: outcome !== undefined,
    ...(outcome?.error ? { error: outcome.error } : {}),
    ...(outcome && !outcome.error ? { response: responseOf(parts, operation) } : {}),
  };
}

/** Nothing while it is under way. */
function outcomeOf(parts: Parts, operation: Operation): { endTime: string; error?: Status } | undefined {
  const { machines, settings } = parts;
  const { zone, compute, error, created, verb, target } = operation;
  if (error) return { endTime: created, error };
  if (!compute) return { endTime: created };
  const waited = machines.operation({ zone, name: compute });
  if (!waited) return { endTime: created };
  if (waited.status !== 'DONE') return undefined;
  const endTime = waited.endTime ?? created;
  if (waited.failure) return { endTime, error: statusOf(waited.failure) };
  const machine = machines.get({ zone, name: target });
  if (!['create', 'start'].includes(verb) || machine?.status !== 'RUNNING') return { endTime };
  const ready = readyAt(machine, settings.registering);
  return ready > Date.now() ? undefined : { endTime: new Date(ready).toISOString() };
}

function responseOf(parts: Parts, { verb, zone, target }: Operation): object {
  if (verb === 'delete') return { '@type': 'type.googleapis.com/google.protobuf.Empty' };
  const notebook = parts.tables.instances.get({ zone, name: target });
  const one = notebook && present(parts, notebook);
  return {
    '@type': 'type.googleapis.com/google.cloud.notebooks.v2.Instance',
    ...(one ? instanceResource(parts, one) : { name: nameOf(parts.context, zone, `instances/${target}`) }),
  };
}

/**
 * That a machine is not to be had is told by the operation. Which number Google gives is not published; the words are
 * those of Compute Engine.
 */
function statusOf({ httpErrorStatusCode, error }: Failure): Status {
  const [first] = error.errors;
  const isShort = /EXHAUSTED|EXCEEDED/.test(first?.code ?? '');
  return {
    code: isShort ? 8 : numberOf(httpErrorStatusCode),
    message: `${first?.code}: ${first?.message}`,
  };
}

/** What Compute Engine refused at once. */
export const refusalOf = ({ code, reason, message }: GoogleError): Status => ({
  code: reason === 'quotaExceeded' ? 8 : numberOf(code),
  message,
});

const numberOf = (httpStatus: number) => ({ 400: 3, 403: 7, 404: 5, 409: 6, 503: 14 })[httpStatus] ?? 13;
