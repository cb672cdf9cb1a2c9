import type { Request } from 'express';
import { GoogleError } from '../googleError.ts';
import { integer } from './query.ts';

/** https://cloud.google.com/storage/docs/request-preconditions */
export type Preconditions = {
  generationMatch?: number;
  generationNotMatch?: number;
  metagenerationMatch?: number;
  metagenerationNotMatch?: number;
};

type Target = { generation: number; metageneration: number } | undefined;

const kinds = [
  'GenerationMatch',
  'GenerationNotMatch',
  'MetagenerationMatch',
  'MetagenerationNotMatch',
] as const;

/** Reads `ifGenerationMatch` and its three siblings, or those of the source, `ifSourceGenerationMatch`. */
export function readPreconditions(request: Request, of: '' | 'Source' = ''): Preconditions {
  const given = kinds.flatMap((kind) => {
    const value = integer(request, `if${of}${kind}`);
    return value === undefined ? [] : [[kind.charAt(0).toLowerCase() + kind.slice(1), value]];
  });
  return Object.fromEntries(given) as Preconditions;
}

/** A generation of 0 stands for an object that is not there. */
function judge(conditions: Preconditions, target: Target): 'met' | 'notMet' | 'notModified' {
  const { generation = 0, metageneration } = target ?? {};
  const { generationMatch, generationNotMatch, metagenerationMatch, metagenerationNotMatch } = conditions;
  if (generationMatch !== undefined && generationMatch !== generation) return 'notMet';
  if (metagenerationMatch !== undefined && metagenerationMatch !== metageneration) return 'notMet';
  if (generationNotMatch === generation) return 'notModified';
  if (metagenerationNotMatch !== undefined && metagenerationNotMatch === metageneration) return 'notModified';
  return 'met';
}

/** For writes. @throws 412 conditionNotMet */
export function requireMet(conditions: Preconditions, target: Target): void {
  if (judge(conditions, target) === 'met') return;
  throw new GoogleError(
    412,
    'conditionNotMet',
    'At least one of the pre-conditions you specified did not hold.',
    {
      locationType: 'header',
      location: 'If-Match',
    },
  );
}

/** For reads: a NotMatch that does match is no error. @throws 412 conditionNotMet */
export function notModified(conditions: Preconditions, target: Target): boolean {
  if (judge(conditions, target) === 'notModified') return true;
  requireMet(conditions, target);
  return false;
}
