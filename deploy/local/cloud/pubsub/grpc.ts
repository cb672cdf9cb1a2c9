import { setTimeout as sleep } from 'node:timers/promises';
import type {
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { GoogleError } from '../googleError.ts';
import type { Context } from '../service.ts';
import { unavailable } from './errors.ts';
import { services } from './protos.ts';
import type { Operations } from './pubsub.ts';
import type { Pulling } from './pull.ts';

const codes: Record<number, status> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.ALREADY_EXISTS,
  429: status.RESOURCE_EXHAUSTED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/** The door for Google's client libraries: the operations as gRPC methods. */
export function addServices(
  server: Server,
  { faults, requests }: Context,
  operations: Operations,
  streamingPull: Pulling['streamingPull'],
): void {
  /** Does what a call asks for, with the faults that are switched on. A lost answer looks like a cut connection. */
  async function answer<T>(path: string, detail: unknown, work: () => T | Promise<T>): Promise<T> {
    let code = 200;
    try {
      const latency = faults.strike('pubsub', ['latency'], { path });
      if (latency) await sleep(latency.ms);
      const fault = faults.strike('pubsub', ['status', 'cut', 'lostAnswer'], { path });
      if (fault?.kind === 'cut') throw unavailable('Connection dropped');
      if (fault?.kind === 'status')
        throw new GoogleError(fault.status, fault.reason ?? 'backendError', 'A fault that was switched on');
      const result = await work();
      if (fault?.kind === 'lostAnswer') throw unavailable('Connection dropped');
      return result;
    } catch (error) {
      code = error instanceof GoogleError ? error.code : 500;
      throw asStatus(error, path);
    } finally {
      requests.add({ service: 'pubsub', method: 'GRPC', url: path, status: code, detail });
    }
  }

  for (const service of services) {
    const handlers: UntypedServiceImplementation = {};
    for (const { path, originalName = '' } of Object.values(service)) {
      if (originalName === 'streamingPull') {
        const handle = (stream: ServerDuplexStream<object, object>) => {
          answer(path, undefined, () => streamingPull(stream))
            .then(() => stream.end())
            .catch((error) => stream.emit('error', error));
        };
        handlers[originalName] = handle;
        continue;
      }
      const operation = operations[originalName];
      if (!operation) continue;
      const handle = (call: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) => {
        const gone = new AbortController();
        call.on('cancelled', () => gone.abort());
        answer(path, detailOf(call.request), () => operation(call.request as never, gone.signal))
          .then((response) => callback(null, response))
          .catch(callback);
      };
      handlers[originalName] = handle;
    }
    server.addService(service, handlers);
  }
}

/** Which resource a call was about. */
function detailOf(request: { topic?: unknown; subscription?: unknown; name?: unknown }) {
  const resource = [request.topic, request.subscription, request.name].find((one) => typeof one === 'string');
  return resource ? { resource } : undefined;
}

function asStatus(error: unknown, path: string) {
  if (error instanceof GoogleError) {
    const precondition = error.reason === 'failedPrecondition';
    const code = precondition ? status.FAILED_PRECONDITION : (codes[error.code] ?? status.INTERNAL);
    return { code, details: error.message };
  }
  console.error(`local cloud: ${path}:`, error);
  return { code: status.INTERNAL, details: 'The local cloud failed; its terminal says why.' };
}
