import { randomBytes } from 'node:crypto';
import type { Context } from '../service.ts';
import type { Failure } from './failure.ts';
import { linkTo, newId } from './parts.ts';
import type { Tables } from './tables.ts';

/** An operation as it is stored. */
export type Operation = {
  id: string;
  name: string;
  zone: string;
  operationType: string;
  /** `zones/Z/instances/NAME` */
  target: string;
  targetId: string;
  status: 'RUNNING' | 'DONE';
  user: string;
  insertTime: string;
  endTime?: string;
  requestId?: string;
  /** By which it is found again when its request comes again: type, target and request id. */
  request?: string;
  failure?: Failure;
};

export type Begin = {
  zone: string;
  operationType: string;
  target: string;
  targetId: string;
  requestId?: string | undefined;
  /** Google itself: a preemption, the end of a run time. */
  isSystem?: boolean;
};

export type Operations = {
  begin(what: Begin): Operation;
  /** It is done, or has failed; nothing if it is done already. */
  finish(key: { zone: string; name: string }, failure?: Failure, at?: string): void;
  /** The operation that this request began when it came before. */
  replay(what: Pick<Begin, 'operationType' | 'target' | 'requestId'>): Operation | undefined;
  /** Resolves when it is done or the time is over, whichever is first. */
  wait(key: { zone: string; name: string }, ms: number): Promise<void>;
  resource(operation: Operation): object;
  running(): number;
  close(): void;
};

export function createOperations(context: Context, tables: Tables): Operations {
  const waiting = new Map<string, Set<() => void>>();
  const table = tables.operations;
  const running = new Set<string>();
  const isRunning = ({ status }: Operation) => status === 'RUNNING';
  const wake = (name: string) => {
    for (const awake of waiting.get(name) ?? []) awake();
    waiting.delete(name);
  };

  return {
    begin({ isSystem = false, requestId, ...what }) {
      const operation: Operation = {
        id: newId(),
        name: `operation-${Date.now()}-${randomBytes(6).toString('hex')}-${randomBytes(4).toString('hex')}`,
        ...what,
        status: 'RUNNING',
        user: isSystem ? 'system' : `gazeline@${context.project}.iam.gserviceaccount.com`,
        insertTime: new Date().toISOString(),
        ...(requestId ? { requestId, request: requestOf({ ...what, requestId }) } : {}),
      };
      table.put(operation);
      running.add(operation.name);
      return operation;
    },
    finish(key, failure, at = new Date().toISOString()) {
      const operation = table.get(key);
      if (!operation || !isRunning(operation)) return;
      table.put({
        ...operation,
        status: 'DONE',
        endTime: at,
        ...(failure ? { failure } : {}),
      });
      running.delete(operation.name);
      wake(operation.name);
    },
    replay: (what) => (what.requestId ? table.byRequest(requestOf(what)) : undefined),
    wait(key, ms) {
      const operation = table.get(key);
      if (!operation || !isRunning(operation)) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        const awake = () => {
          clearTimeout(timer);
          resolve();
        };
        waiting.set(operation.name, (waiting.get(operation.name) ?? new Set()).add(awake));
      });
    },
    resource: (operation) => resourceOf(context, operation),
    running: () => running.size,
    close: () => {
      for (const name of [...waiting.keys()]) wake(name);
    },
  };
}

const requestOf = ({
  operationType,
  target,
  requestId,
}: Pick<Begin, 'operationType' | 'target' | 'requestId'>) => `${operationType} ${target} ${requestId}`;

/** https://cloud.google.com/compute/docs/reference/rest/v1/zoneOperations */
function resourceOf(context: Context, operation: Operation): object {
  const { id, name, zone, operationType, target, targetId, status, user } = operation;
  const { insertTime, endTime, requestId, failure } = operation;
  return {
    kind: 'compute#operation',
    id,
    name,
    zone: linkTo(context, `zones/${zone}`),
    ...(requestId ? { clientOperationId: requestId } : {}),
    operationType,
    targetLink: linkTo(context, target),
    targetId,
    status,
    user,
    progress: status === 'DONE' ? 100 : 0,
    insertTime,
    startTime: insertTime,
    ...(endTime ? { endTime } : {}),
    ...failure,
    selfLink: linkTo(context, `zones/${zone}/operations/${name}`),
  };
}
