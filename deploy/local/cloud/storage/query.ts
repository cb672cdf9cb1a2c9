import type { Request } from 'express';
import { z } from 'zod';
import { GoogleError } from '../googleError.ts';

/** A query parameter that may be given once, or undefined. An empty one counts as not given. */
export function text(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && value.isWellFormed()) return value;
  throw invalidParameter(name, value);
}

/** A whole number; generations fit into a double, being microseconds since 1970. */
export function integer(request: Request, name: string): number | undefined {
  const value = text(request, name);
  if (value === undefined) return undefined;
  if (!/^-?\d{1,19}$/.test(value)) throw invalidParameter(name, value);
  return Number(value);
}

export function flag(request: Request, name: string): boolean {
  const value = text(request, name);
  if (value !== undefined && !/^(true|false)$/i.test(value)) throw invalidParameter(name, value);
  return value?.toLowerCase() === 'true';
}

export const invalidParameter = (name: string, value: unknown): GoogleError =>
  new GoogleError(400, 'invalidParameter', `Invalid value for ${name}: ${String(value)}`, {
    locationType: 'parameter',
    location: name,
  });

/** How JSON carries 64-bit numbers: as text, though plain numbers are taken too. */
export const int64 = z.union([z.string().regex(/^-?\d{1,19}$/), z.number().int()]).transform(Number);
