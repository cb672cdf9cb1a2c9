import * as z from 'zod';

/** From the least to the most: each may do what those before it may. */
export const roles = ['reader', 'runner', 'admin'] as const;
export const Role = z.enum(roles);
export type Role = z.infer<typeof Role>;

export const mayDo = (has: Role, needs: Role): boolean => roles.indexOf(has) >= roles.indexOf(needs);
