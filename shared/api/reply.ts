import { createHash } from 'node:crypto';
import type { Answer } from '../trigger.ts';
import type { Route } from './route.ts';

/** A good answer, in the form that the caller accepts. */
export function reply(route: Route, answer: unknown, accept: string | undefined): Answer {
  const { csv, status = 200, method } = route;
  const caching = method === 'GET' ? 'private, no-cache' : 'no-store';
  const common = { 'cache-control': caching, 'x-content-type-options': 'nosniff' };
  if (!csv || !prefersCsv(accept)) {
    const headers = { ...common, 'content-type': 'application/json', ...(csv ? { vary: 'accept' } : {}) };
    return { status, headers, body: JSON.stringify(answer) };
  }
  const { nextPageToken } = answer as { nextPageToken?: string };
  return {
    status,
    headers: {
      ...common,
      vary: 'accept',
      'content-type': 'text/csv; charset=utf-8; header=present',
      ...(nextPageToken ? { 'next-page-token': nextPageToken } : {}),
    },
    body: csv(answer),
  };
}

const prefersCsv = (accept = '') => {
  const at = (type: string) => (accept.includes(type) ? accept.indexOf(type) : Number.POSITIVE_INFINITY);
  return at('text/csv') < at('application/json');
};

/** With a strong ETag, and 304 for who has it already. https://www.rfc-editor.org/rfc/rfc9110#name-etag */
export function withEtag(answer: Answer, ifNoneMatch: string | undefined): Answer {
  const etag = `"${createHash('sha256').update(String(answer.body)).digest('base64url').slice(0, 27)}"`;
  const headers: Record<string, string> = { ...answer.headers, etag };
  const has = (ifNoneMatch ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
  if (!has.includes(etag) && !has.includes('*')) return { ...answer, headers };
  const { 'content-type': _, ...kept } = headers;
  return { status: 304, headers: kept };
}
