import { STATUS_CODES } from 'node:http';
import type { Answer } from '../trigger.ts';

/** Where in the request something is wrong, and what. */
export type Fault = { path: string; message: string };

/** The request is answered with this status, and the caller is told why. */
export class Refused extends Error {
  override name = 'Refused';
  readonly status: number;
  readonly errors: Fault[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    detail: string,
    {
      errors,
      headers = {},
      ...options
    }: ErrorOptions & { errors?: Fault[]; headers?: Record<string, string> } = {},
  ) {
    super(detail, options);
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }
}

/** https://www.rfc-editor.org/rfc/rfc9457 */
export function problemOf({ status, message: detail, errors, headers }: Refused): Answer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    body: { type: 'about:blank', title: STATUS_CODES[status], status, detail, ...(errors ? { errors } : {}) },
  };
}
