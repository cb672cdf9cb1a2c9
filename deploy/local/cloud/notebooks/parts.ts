import type { Machines } from '../compute/machines.ts';
import type { Context } from '../service.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** What the parts of Workbench share. */
export type Parts = { context: Context; settings: Settings; tables: Tables; machines: Machines };

export const nameOf = ({ project }: { project: string }, zone: string, path: string): string =>
  `projects/${project}/locations/${zone}/${path}`;

/** At Google it is a host of its own, and https. */
export const linkOf = (
  { context }: Pick<Parts, 'context'>,
  { zone, name }: { zone: string; name: string },
): string => `${context.origin()}/_local/notebooks/open/${zone}/${name}`;
