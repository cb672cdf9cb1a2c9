import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream';
import { text } from 'node:stream/consumers';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { WrongBytes } from './content.ts';

/*
 * Brings bytes from one server to another, in a thread that does nothing else: this file is both, what asks the thread
 * and what runs in it.
 *
 * Beside all that a function has in memory, bytes are dear. They are outside of the heap, so that V8 collects all of its
 * garbage after every few megabytes, and the framework's `domain` has a hook in each of their events. That was three
 * quarters of the processor's work (`npm run bench:sync -- --only large`).
 */

type Fetch = typeof fetch;

/** Bytes that one server is asked for and another is to have. They are never in this thread. */
export type Passage = {
  /** In place of `fetch`, for the GET that asks for them. Its answer has a body only if it is a refusal. */
  ask: Fetch;
  /** In place of `fetch`, for the PUT whose body they are. @throws WrongBytes if more came than were to come */
  send: Fetch;
  /** They are not wanted any more. */
  close(): void;
};

type Request = { url: string; method: string; headers: Record<string, string> };
type Task = { call: number; passage: number } & (
  | ({ what: 'ask' } & Request)
  | ({ what: 'send'; length: number } & Request)
  | { what: 'close' }
);
type Answer = { status: number; headers: [string, string][]; body: string };
type Result = { call: number } & (
  | { answer: Answer }
  | { problem: { message: string; code: unknown; isWrong: boolean } }
);

const role = 'passages';
/** An answer without a byte for so long, in milliseconds, is none. */
const longestSilence = 120_000;

let thread: Worker | undefined;
let count = 0;
const calls = new Map<number, (result: Result) => void>();

/** @param length how many bytes are to pass */
export function openPassage(length: number): Passage {
  const passage = ++count;
  const request = async (what: 'ask' | 'send', input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]) => {
    const headers = Object.fromEntries(new Headers(init?.headers));
    // Bytes as they are: their length is what was asked for.
    const asked = { url: String(input), method: init?.method ?? 'GET', headers };
    headers['accept-encoding'] = 'identity';
    const result = await answered({ call: ++count, passage, what, length, ...asked });
    if ('answer' in result) {
      const { body, ...head } = result.answer;
      return new Response(body || null, head);
    }
    const { message, code, isWrong } = result.problem;
    throw isWrong ? new WrongBytes(message) : Object.assign(new Error(message), { code });
  };
  return {
    ask: (input, init) => request('ask', input, init),
    send: (input, init) => request('send', input, init),
    close: () => thread?.postMessage({ call: 0, passage, what: 'close' } satisfies Task),
  };
}

function answered(task: Task): Promise<Result> {
  return new Promise((resolve) => {
    calls.set(task.call, resolve);
    thread ??= startThread();
    thread.postMessage(task);
  });
}

function startThread(): Worker {
  // What the process loads first, like an agent or the local host's watch of its end, is not for the thread.
  const started = new Worker(new URL(import.meta.url), { workerData: role, execArgv: [] });
  started.on('message', (result: Result) => {
    calls.get(result.call)?.(result);
    calls.delete(result.call);
  });
  let reason = 'the thread of the bytes ended';
  started.on('error', (error) => {
    reason += `: ${error}`;
  });
  started.on('exit', () => {
    thread = undefined;
    for (const [call, resolve] of calls)
      resolve({ call, problem: { message: reason, code: 'ECONNRESET', isWrong: false } });
    calls.clear();
  });
  // Listening to it keeps the process alive, but for this.
  started.unref();
  return started;
}

/* What runs in the thread. */

if (!isMainThread && workerData === role) {
  /** `undefined` until the answer is there. */
  const passages = new Map<number, { source?: IncomingMessage }>();

  const ask = async (task: Task & { what: 'ask' }): Promise<Answer> => {
    passages.get(task.passage)?.source?.destroy();
    const mine: { source?: IncomingMessage } = {};
    passages.set(task.passage, mine);
    const request = begin(task);
    request.end();
    const source = await answerOf(request);
    // A refusal says why. Anything else may have no end.
    if ((source.statusCode ?? 0) >= 400) return read(source);
    source.on('error', () => {});
    if (passages.get(task.passage) === mine) mine.source = source;
    else source.destroy();
    return { ...headOf(source), body: '' };
  };

  const send = async (task: Task & { what: 'send' }): Promise<Answer> => {
    const source = passages.get(task.passage)?.source;
    if (!source || source.destroyed) throw new Error('the bytes that were to be sent are gone');
    const request = begin(task);
    let place = 0;
    source.on('data', (chunk: Buffer) => {
      place += chunk.length;
      if (place > task.length) source.destroy(new WrongBytes(`more than ${task.length} bytes came`));
    });
    source.on('end', () => {
      if (place < task.length) request.destroy(new Error(`${place} bytes came, and not ${task.length}`));
    });
    source.setTimeout(longestSilence, () => source.destroy(new Error('no more bytes came')));
    // Who waits for the answer hears of what goes wrong.
    pipeline(source, request, () => {});
    try {
      return await read(await answerOf(request));
    } catch (error) {
      // What the request says of its source is only that it ended.
      throw source.errored ?? error;
    } finally {
      source.destroy();
      passages.delete(task.passage);
    }
  };

  const close = (passage: number) => {
    passages.get(passage)?.source?.destroy();
    passages.delete(passage);
  };

  const resultOf = async (task: Task & { what: 'ask' | 'send' }): Promise<Result> => {
    const { call } = task;
    try {
      return { call, answer: await (task.what === 'ask' ? ask(task) : send(task)) };
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      return { call, problem: { message, code, isWrong: error instanceof WrongBytes } };
    }
  };

  parentPort?.on('message', async (task: Task) => {
    if (task.what === 'close') close(task.passage);
    else parentPort?.postMessage(await resultOf(task));
  });
}

function begin({ url, method, headers }: Request) {
  const request = (url.startsWith('https:') ? https : http).request(url, { method, headers });
  // There may be one after the answer, too.
  request.on('error', () => {});
  request.setTimeout(longestSilence, () => request.destroy(new Error('no answer came')));
  return request;
}

async function answerOf(request: http.ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function read(response: IncomingMessage): Promise<Answer> {
  return { ...headOf(response), body: await text(response) };
}

function headOf({ statusCode = 0, headersDistinct }: IncomingMessage) {
  const headers = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return { status: statusCode, headers };
}
