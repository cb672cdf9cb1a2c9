import { createHash } from 'node:crypto';
import * as z from 'zod';
import { invalidField } from '../computeError.ts';

const Labels = z.record(z.string(), z.string());

/** https://cloud.google.com/compute/docs/labeling-resources#requirements @throws 400 */
export function readLabels(given: unknown): Record<string, string> {
  const labels = Labels.safeParse(given ?? {});
  if (!labels.success) throw invalidField('resource.labels', given, z.prettifyError(labels.error));
  if (Object.keys(labels.data).length > 64)
    throw invalidField('resource.labels', '', 'The number of labels must not exceed 64.');
  for (const [key, value] of Object.entries(labels.data)) {
    if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key))
      throw invalidField(
        'resource.labels',
        '',
        `Label key '${key}' violates format constraints. The key must start with a lowercase character, can only contain lowercase letters, numeric characters, underscores and dashes. The key can be at most 63 characters long. International characters are allowed.`,
      );
    if (!/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value))
      throw invalidField(
        'resource.labels',
        '',
        `Label value '${value}' violates format constraints. The value can only contain lowercase letters, numeric characters, underscores and dashes. The value can be at most 63 characters long. International characters are allowed.`,
      );
  }
  return labels.data;
}

/** Changes with what it is of, so that a write can name what it replaces. */
export const fingerprintOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('base64').slice(0, 11).concat('=');
