import { createHash } from 'node:crypto';
import type { Candidate } from './candidate.ts';

/** The same in every zone, so that it can be looked for without knowing where it is. At most 63 characters. */
export const machineName = (job: string, attempt: number): string => `gazeline-${job}-${attempt}`;

/** @returns undefined for the machine of somebody else, or whose name only begins so */
export function machineNamed(name: string): { job: string; attempt: number } | undefined {
  const [, job, attempt] = /^gazeline-([a-z](?:[-a-z0-9]{0,38}[a-z0-9])?)-([1-9]\d{0,3})$/.exec(name) ?? [];
  return job && attempt ? { job, attempt: Number(attempt) } : undefined;
}

/** Any text, made fit for a label. https://cloud.google.com/compute/docs/labeling-resources#requirements */
export const labelValue = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '') || 'unknown';

/** An N1 machine with a T4 and one with a V100 have the same machine type. */
export const hardwareOf = ({
  machineType,
  guestAccelerators,
}: Pick<Candidate, 'machineType' | 'guestAccelerators'>): string =>
  [machineType, ...guestAccelerators.map(({ type, count }) => `${count}x${type}`)].join('+');

/** Any fixed UUID will do; this one is Gazeline's own. */
const namespace = Buffer.from('6f4b8b5e2f1c4a0c9d3e7a5b1c0d2e4f', 'hex');

/**
 * The same request has the same id, so that the service makes one machine however often it is sent
 * (https://cloud.google.com/compute/docs/api/how-tos/idempotency). It also gives the same answer: after one that was
 * refused, `round` has to be another, or the refusal is heard for ever.
 */
export function requestIdOf(
  job: string,
  attempt: number,
  candidate: Pick<Candidate, 'zone' | 'machineType' | 'guestAccelerators' | 'model'>,
  round: number,
): string {
  return uuid5([job, attempt, candidate.zone, hardwareOf(candidate), candidate.model, round].join('/'));
}

/** https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-5. It is never the zero UUID, as its version is 5. */
export function uuid5(text: string): string {
  const bytes = createHash('sha1').update(namespace).update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
