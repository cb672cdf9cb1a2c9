import { randomBytes } from 'node:crypto';
import type { Context } from '../service.ts';
import type { Tables } from './tables.ts';
import type { Status } from './tpuError.ts';

/** A long-running operation as it is stored. */
export type Operation = {
  name: string;
  zone: string;
  verb: 'create' | 'delete';
  /** `projects/P/locations/Z/nodes/NAME` */
  target: string;
  created: string;
  ended?: string;
  /** By which it is found again when its request comes again: verb, target and request id. */
  request?: string;
  error?: Status;
  /** What was made; nothing for what was deleted. */
  response?: object;
};

type Begin = Pick<Operation, 'zone' | 'verb' | 'target'> & { requestId?: string | undefined };

export type Operations = {
  begin(what: Begin): Operation;
  /** It is done, or has failed; nothing if it is done already. */
  finish(
    key: Pick<Operation, 'zone' | 'name'>,
    how: { error: Status } | { response?: object },
    at?: string,
  ): void;
  /** The operation that this request began when it came before. */
  replay(what: Pick<Begin, 'verb' | 'target' | 'requestId'>): Operation | undefined;
  resource(operation: Operation): object;
  running(): number;
};

export function createOperations({ project }: Context, { operations: table }: Tables): Operations {
  const running = new Set<string>();
  return {
    begin({ requestId, ...what }) {
      const operation: Operation = {
        name: `operation-${Date.now()}-${randomBytes(6).toString('hex')}-${randomBytes(4).toString('hex')}`,
        ...what,
        created: new Date().toISOString(),
        ...(requestId ? { request: requestOf({ ...what, requestId }) } : {}),
      };
      table.put(operation);
      running.add(operation.name);
      return operation;
    },
    finish(key, how, at = new Date().toISOString()) {
      const operation = table.get(key);
      if (!operation || operation.ended) return;
      table.put({ ...operation, ...how, ended: at });
      running.delete(operation.name);
    },
    replay: (what) => (what.requestId ? table.byRequest(requestOf(what)) : undefined),
    resource: (operation) => resourceOf(project, operation),
    running: () => running.size,
  };
}

const requestOf = ({ verb, target, requestId }: Omit<Begin, 'zone'>) => `${verb} ${target} ${requestId}`;

/** https://cloud.google.com/tpu/docs/reference/rest/v2/projects.locations.operations */
function resourceOf(project: string, operation: Operation): object {
  const { name, zone, verb, target, created, ended, error, response } = operation;
  return {
    name: `projects/${project}/locations/${zone}/operations/${name}`,
    metadata: {
      '@type': 'type.googleapis.com/google.cloud.tpu.v2.OperationMetadata',
      createTime: created,
      ...(ended ? { endTime: ended } : {}),
      target,
      verb,
      cancelRequested: false,
      apiVersion: 'v2',
    },
    done: ended !== undefined,
    ...(ended === undefined
      ? {}
      : error
        ? { error }
        : { response: response ?? { '@type': 'type.googleapis.com/google.protobuf.Empty' } }),
  };
}
