import type { Context } from '../service.ts';
import type { Key } from '../zonal.ts';
import type { Nodes } from './nodes/life.ts';
import type { Operations } from './operations.ts';
import type { Queue } from './queue/life.ts';
import type { Settings } from './settings.ts';
import type { Tables } from './tables.ts';

/** What the routes of the TPU service share. */
export type Parts = {
  context: Context;
  settings: Settings;
  tables: Tables;
  operations: Operations;
  nodes: Nodes;
  queue: Queue;
};

export const locationName = ({ project }: Context, zone: string): string =>
  `projects/${project}/locations/${zone}`;

export const nodeName = (context: Context, { zone, name }: Key): string =>
  `${locationName(context, zone)}/nodes/${name}`;

export const queuedName = (context: Context, { zone, name }: Key): string =>
  `${locationName(context, zone)}/queuedResources/${name}`;
