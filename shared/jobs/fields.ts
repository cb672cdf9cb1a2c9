import * as z from 'zod';
import { didYouMean } from './didYouMean.ts';

/** An object with these fields and no others; a misspelt one is told which was meant. */
export function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key) => unknownKey(key, names)).join('\n');
      if (issue.code === 'invalid_type') return `expected the fields ${names.join(', ')}`;
      return undefined;
    },
  });
}

function unknownKey(key: string, names: string[]): string {
  const meant = didYouMean(key, names);
  const known = `expected one of ${names.join(', ')}`;
  return `there is no field “${key.slice(0, 50)}”; ${meant ? `did you mean “${meant}”?` : known}`;
}

/** One of these words, and which were meant if it is none. */
export function oneOf<const T extends string>(words: readonly [T, ...T[]]) {
  return z.enum(words, {
    error: ({ input }) => {
      const meant = typeof input === 'string' ? didYouMean(input, words) : undefined;
      return `expected ${words.join(', ')}${meant ? `; did you mean “${meant}”?` : ''}`;
    },
  });
}

export const wholeNumber = (least: number, most: number) => {
  const expected = `expected a whole number from ${least} to ${most}`;
  return z.int(expected).min(least, expected).max(most, expected);
};

/** Lets another schema look at the value that is being transformed, and takes over what it finds wrong. */
export function hand<T>(schema: z.ZodType<T>, value: unknown, context: z.core.$RefinementCtx): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues)
    context.addIssue({ code: 'custom', path, message, input: value });
  return z.NEVER;
}
