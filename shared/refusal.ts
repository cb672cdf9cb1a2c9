import { statusOf } from './drive/driveFile.ts';

/** Something that a person can do something about: one line, no stack. */
export class Refusal extends Error {
  override name = 'Refusal';
}

const unreachable = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH'];

/** What a person is told of an error: one line that says what can be done. */
export function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  const codes = causesOf(error).map(({ code }) => String(code));
  const message = firstLine(error);
  const network = codes.find((code) => unreachable.includes(code));
  if (network)
    return `The cloud cannot be reached (${network}). Is this computer online, or the lab running?`;
  if (/default credentials|invalid_grant|invalid_rapt/i.test(message))
    return `There are no usable credentials (${message}). Run: gcloud auth application-default login`;
  const status = statusOf(error);
  if (status === 401 || status === 403) return `Rights are missing: ${message}`;
  if (status === 404) return `Not found, or not shared with this account: ${message}`;
  return message;
}

function causesOf(error: unknown): { code?: unknown }[] {
  const causes: { code?: unknown }[] = [];
  for (let one = error; one && causes.length < 10; one = (one as Error).cause)
    causes.push(one, ...((one as AggregateError).errors ?? []));
  return causes;
}

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ').trim();
