import { LineCounter, parseDocument } from 'yaml';
import type * as z from 'zod';
import { clean } from '../clean.ts';
import { Unprocessable } from '../unprocessable.ts';
import { type Job, jobSchema } from './job.ts';

/** A job that cannot be done as it is written. Each line names the field, the value, and what would be accepted. */
export class InvalidJob extends Unprocessable {
  override name = 'InvalidJob';
  readonly lines: string[];
  constructor(lines: string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

const mostBytes = 64 * 1024;
const mostDepth = 30;
const mostLines = 30;

/**
 * @param text YAML or JSON, which is YAML as well
 * @throws InvalidJob
 */
export function parseJob(text: string, options: { allowFile?: boolean } = {}): Job {
  return readJob(writtenIn(text), options);
}

/** The same for what is no text any more, as the body of a request. */
export function readJob(value: unknown, options: { allowFile?: boolean } = {}): Job {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidJob([`the job: ${shown(value)}: expected fields, as “name: My first job”`]);
  const hostile = [...unusable(value, [])];
  if (hostile.length > 0) throw new InvalidJob(hostile.slice(0, mostLines));
  const job = jobSchema(options).safeParse(value);
  if (job.success) return job.data;
  const lines = [...new Set(job.error.issues.flatMap((issue) => linesOf(issue, value)))];
  throw new InvalidJob(lines.slice(0, mostLines));
}

/**
 * What the text says, before it is known to be a job.
 * @throws InvalidJob
 */
export function writtenIn(text: string): unknown {
  if (Buffer.byteLength(text) > mostBytes)
    throw new InvalidJob([`the job is larger than ${mostBytes} bytes; large data belongs into inputs`]);
  const lineCounter = new LineCounter();
  try {
    // The 1.2 core schema: no dates, no merge keys, and `no` is a text.
    const document = parseDocument(text, {
      lineCounter,
      schema: 'core',
      prettyErrors: false,
      uniqueKeys: true,
    });
    // Brackets without end overflow the stack of the parser, which is one of its errors.
    if (document.errors.some(({ message }) => message.includes('call stack'))) throw new RangeError();
    const problems = [...document.errors, ...document.warnings].map(({ message, pos: [at] }) => {
      const { line, col } = lineCounter.linePos(at);
      return `line ${line}, column ${col}: ${clean(message).slice(0, 300)}`;
    });
    if (problems.length > 0) throw new InvalidJob(problems.slice(0, mostLines));
    return document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    if (error instanceof InvalidJob) throw error;
    // Aliases that multiply are refused by `toJS`.
    const reason = error instanceof RangeError ? 'it is nested too deeply' : (error as Error).message;
    throw new InvalidJob([`the job cannot be read: ${clean(reason).slice(0, 300)}`]);
  }
}

/** What no schema of zod would name: it leaves `__proto__` out without a word, and follows any depth. */
function* unusable(value: unknown, path: PropertyKey[]): Iterable<string> {
  if (typeof value !== 'object' || value === null) return;
  if (path.length > mostDepth) return yield `${fieldOf(path.slice(0, 3))}: it is nested too deeply`;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') yield `${fieldOf([...path, key])}: this name cannot be used`;
    else yield* unusable(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

function linesOf(issue: z.core.$ZodIssue, job: unknown): string[] {
  let value = job;
  const path: PropertyKey[] = [];
  for (const key of issue.path) {
    // The short form of something has no fields of its own.
    if (typeof value === 'string') break;
    value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
    // Within a transform the index is a text.
    path.push(/^\d+$/.test(String(key)) ? Number(key) : key);
  }
  const field = fieldOf(path);
  if (issue.code === 'unrecognized_keys' || (typeof value === 'object' && value !== null))
    return issue.message.split('\n').map((message) => `${field}: ${clean(message)}`);
  if (value === undefined) return [`${field}: is missing; ${clean(issue.message)}`];
  return [`${field}: ${shown(value)}: ${clean(issue.message)}`];
}

const fieldOf = (path: PropertyKey[]): string =>
  path.length === 0
    ? 'the job'
    : path
        .map((key) => (typeof key === 'number' ? `[${key}]` : `.${clean(String(key)).slice(0, 50)}`))
        .join('')
        .replace(/^\./, '');

/** An address may hold a password, and what is shown is kept. */
const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const secretless = text.replace(/\/\/[^/@\s]*@/g, '//…@');
  return `“${clean(secretless.length > 80 ? `${secretless.slice(0, 80)}…` : secretless)}”`;
};
