import { createHash } from 'node:crypto';
import type { Job } from './job.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Fit for the name of a machine: `[a-z]([-a-z0-9]*[a-z0-9])?`, at most 40 characters. */
export const jobIdPattern = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;

/**
 * A name that people recognise, and that another job with the same name does not have.
 * @param key the client's own key: the same key is the same job, however often it is sent
 */
export function jobId(name: string, key: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 31)
    .replace(/-+$/, '');
  return `${slug || 'job'}-${sha256(key.toWellFormed()).slice(0, 8)}`;
}

/** The same for two jobs that say the same, whatever the order of their fields. */
export const jobDigest = (job: Job): string => sha256(JSON.stringify(inOrder(job)));

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  // Pairs, not an object: integer-like keys of an object are put in an order of their own.
  return entries
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, inner]) => [key, inOrder(inner)]);
}
