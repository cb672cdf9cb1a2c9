import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import * as framework from '@google-cloud/functions-framework';
import * as z from 'zod';
import { bodyLimit, hideBody, readBody } from './body.ts';
import { clients } from './clients.ts';
import { config } from './config.ts';
import { type Event, eventOf, parseJson } from './event.ts';
import { type Log, logFor } from './log.ts';
import { notYetIn } from './once.ts';
import { recordsIn } from './storage/records.ts';
import { keepProblem, Unprocessable } from './unprocessable.ts';

/**
 * What calls a function, as plain data: the deployment and the local host read it to make topics, push subscriptions,
 * schedules and notifications.
 */
export type Trigger = (
  | { kind: 'http'; access: 'public' | 'private' /** Seconds that a request may take. */; timeout: number }
  /** A Pub/Sub topic. `ordered`: messages with one key come one after the other. Times in seconds. */
  | { kind: 'message'; topic: string; ordered: boolean; ackDeadline: number }
  /** Objects that arrive in a bucket, by the bucket's notifications on a topic. */
  | { kind: 'object'; topic: string; bucket: 'raw' | 'derived'; ackDeadline: number }
  /** A schedule in unix-cron format, UTC, that publishes to a topic. */
  | { kind: 'clock'; topic: string; schedule: string; ackDeadline: number }
) & {
  /** MiB of an instance, where it is more than `usualMemory`. */
  memory?: number;
};
export const usualMemory = 512;

/** Where a delivery goes that has failed too often. Who takes it from there has no such topic: it would come back. */
export const deadLetterTopic = 'dead-letters';

/** How often and how long a delivery that failed is tried again; times in seconds. Then it is a dead letter. */
export const retryPolicy = { minimumBackoff: 1, maximumBackoff: 600, attempts: 50 };

export type Delivery = {
  /** The same for every delivery of one event. */
  id: string;
  log: Log;
  /** Of a message. */
  attributes?: Record<string, string>;
  publishedAt?: string;
};

export type Triggered = { trigger: Trigger; handle: (request: Incoming, caller: Caller) => Promise<Answer> };
/** The function that is called, and how it logs on behalf of an event. */
type Caller = { name: string; logOf: (event: string) => Log };
/** A body is text, or is sent as JSON. */
export type Answer = { status: number; headers?: Record<string, string>; body?: unknown };

/** A request with its body read, but not looked at. */
export type Incoming = {
  method: string;
  path: string;
  /** What stands behind the `?`. */
  search?: string;
  headers: Record<string, string>;
  body: Buffer;
};

/** The shape in which a bucket says that an object arrived. Everything else about it is looked up. */
export const ObjectArrived = z.object({
  bucket: z.string(),
  name: z.string(),
  /** An int64: a string in JSON. */
  generation: z.coerce.string().regex(/^\d+$/),
});
export type ObjectArrived = z.infer<typeof ObjectArrived>;

/** Whoever sends a request, and waits for the answer. */
export function onRequest<In>(
  { access, timeout = 60, ...more }: { access: 'public' | 'private'; timeout?: number; memory?: number },
  schema: z.ZodType<In>,
  work: (request: In, delivery: Delivery) => Promise<Answer>,
): Triggered {
  return {
    trigger: { kind: 'http', access, timeout, ...more },
    async handle(request, { logOf }) {
      const id = request.headers['x-request-id'] ?? request.headers['function-execution-id'] ?? '';
      const { body, ...rest } = request;
      const input = schema.safeParse({ ...rest, body: body.length > 0 ? body.toString() : undefined });
      if (!input.success) return { status: 400, body: { error: z.prettifyError(input.error) } };
      return work(input.data, { id, log: logOf(id) });
    },
  };
}

/** A message on one of our topics; its data is JSON. */
export function onMessage<In>(
  {
    topic,
    ordered = false,
    ackDeadline = 60,
    ...more
  }: { topic: string; ordered?: boolean; ackDeadline?: number; memory?: number },
  schema: z.ZodType<In>,
  work: (message: In, delivery: Delivery) => Promise<void>,
): Triggered {
  return {
    trigger: { kind: 'message', topic, ordered, ackDeadline, ...more },
    handle: (request, caller) =>
      handleEvent(
        request,
        caller,
        ({ data }) => {
          const json = Buffer.isBuffer(data) ? parseJson(data) : data;
          return schema.parse(json);
        },
        work,
      ),
  };
}

/** A message of any of our topics that was given up, as it was published. */
export function onDeadLetter(
  work: (letter: { data: Buffer; orderingKey?: string }, delivery: Delivery) => Promise<void>,
): Triggered {
  return {
    trigger: { kind: 'message', topic: deadLetterTopic, ordered: false, ackDeadline: 60 },
    handle: (request, caller) =>
      handleEvent(
        request,
        caller,
        ({ data, orderingKey }) => ({
          data: Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data)),
          ...(orderingKey ? { orderingKey } : {}),
        }),
        work,
      ),
  };
}

/** An object was finalized in one of our buckets: a notification through Pub/Sub, or a CloudEvent by Eventarc. */
export function onObject(
  {
    bucket,
    topic,
    ackDeadline = 60,
    ...more
  }: { bucket: 'raw' | 'derived'; topic: string; ackDeadline?: number; memory?: number },
  work: (object: ObjectArrived, delivery: Delivery) => Promise<void>,
): Triggered {
  return {
    trigger: { kind: 'object', bucket, topic, ackDeadline, ...more },
    handle: (request, caller) =>
      handleEvent(
        request,
        caller,
        ({ type, attributes, data }) => {
          const { eventType, bucketId, objectId, objectGeneration } = attributes;
          if (!eventType) return type.endsWith('.finalized') ? ObjectArrived.parse(data) : undefined;
          if (eventType !== 'OBJECT_FINALIZE') return undefined;
          return ObjectArrived.parse({ bucket: bucketId, name: objectId, generation: objectGeneration });
        },
        work,
      ),
  };
}

/**
 * A tick of the scheduler, or of whoever publishes to its topic. What is in it does not matter, unless there is a
 * `schema` for it; a plain tick is `{}`.
 */
export function onClock<In = undefined>(
  options: {
    schedule: string;
    topic: string;
    ackDeadline?: number;
    memory?: number;
    schema?: z.ZodType<In>;
  },
  work: (tick: { time: Date; data: In }, delivery: Delivery) => Promise<void>,
): Triggered {
  const { schedule, topic, ackDeadline = 60, schema, ...more } = options;
  return {
    trigger: { kind: 'clock', topic, schedule, ackDeadline, ...more },
    handle: (request, caller) =>
      handleEvent(
        request,
        caller,
        ({ data }) => {
          const json = Buffer.isBuffer(data) && data.length > 0 && schema ? parseJson(data) : {};
          return { time: new Date(), data: schema?.parse(json) as In };
        },
        work,
      ),
  };
}

/** Returns: acknowledged. Throws: it comes again. `inputOf` gives undefined for an event that means nothing to us. */
async function handleEvent<In>(
  request: Incoming,
  { name, logOf }: Caller,
  inputOf: (event: Event) => In | undefined,
  work: (input: In, delivery: Delivery) => Promise<void>,
): Promise<Answer> {
  if (request.method !== 'POST') return { status: 405, body: { error: 'An event is sent with POST' } };
  let event: Event;
  try {
    event = eventOf(request);
  } catch (error) {
    return {
      status: 400,
      body: { error: error instanceof z.ZodError ? z.prettifyError(error) : 'not JSON' },
    };
  }
  const log = logOf(event.id);
  try {
    const input = checked(() => inputOf(event));
    const { id, attributes, publishedAt } = event;
    if (input !== undefined)
      await work(input, { id, log, attributes, ...(publishedAt ? { publishedAt } : {}) });
    return { status: 204 };
  } catch (error) {
    if (error instanceof Unprocessable) return keepUnprocessable(name, event, error, log);
    const notYet = notYetIn(error);
    if (notYet) {
      // What a function says itself is everyday. What came out of a client means that all its requests are held back.
      log[notYet === error ? 'info' : 'warning']('not yet', { reason: notYet.message });
      return { status: 503 };
    }
    log.error('failed, and will be tried again', { error });
    return { status: 500 };
  }
}

function checked<In>(inputOf: () => In): In {
  try {
    return inputOf();
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Unprocessable(reason, { cause: error });
  }
}

/** Acknowledged only when it is kept. */
async function keepUnprocessable(
  name: string,
  event: Event,
  { message: reason }: Error,
  log: Log,
): Promise<Answer> {
  try {
    const input = Buffer.isBuffer(event.data) ? event.data.toString() : event.data;
    const problem = { function: name, event: event.id, time: new Date().toISOString(), reason, input };
    await keepProblem(recordsIn(await clients.storage(), config().stateBucket), problem);
    log.error('unprocessable', { reason });
    return { status: 204 };
  } catch (error) {
    log.error('an unprocessable input could not be kept, and will be tried again', { reason, error });
    return { status: 500 };
  }
}

/** Makes every function of the map known to the functions framework, under its own name. */
export function register(functions: Record<string, Triggered>): void {
  // Express and the framework put stack traces and messages into their own error answers, except in production.
  process.env.NODE_ENV = 'production';
  subscribe('http.server.request.start', (message) =>
    hideBody((message as { request: IncomingMessage }).request),
  );
  for (const [name, { handle }] of Object.entries(functions)) {
    framework.http(name, async (request: framework.Request, response: framework.Response) => {
      const { status, headers, body } = await answer(name, handle, request);
      if (body === undefined) return void response.writeHead(status, headers).end();
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      // Not by Express, which would add a weak ETag to what has none.
      response.writeHead(status, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': bytes.length,
        ...headers,
      });
      response.end(bytes);
    });
  }
}

/** Nothing of an error goes into the answer: it may hold names, ids or tokens. The log has it. */
async function answer(name: string, handle: Triggered['handle'], request: IncomingMessage): Promise<Answer> {
  const headers = request.headers as Record<string, string>;
  const trace = headers.traceparent ?? headers['x-cloud-trace-context'];
  const logOf = (event: string) =>
    logFor({ function: name, event, trace, project: process.env.GAZELINE_PROJECT });
  try {
    const body = await readBody(request);
    if (!body) return { status: 413, body: { error: `A body may hold ${bodyLimit} bytes, uncompressed` } };
    const [, path = '/', search = ''] = /^([^?]*)\??(.*)$/s.exec(request.url ?? '/') ?? [];
    return await handle({ method: request.method ?? '', path, search, headers, body }, { name, logOf });
  } catch (error) {
    logOf('').error('failed', { error });
    return { status: 500 };
  }
}
