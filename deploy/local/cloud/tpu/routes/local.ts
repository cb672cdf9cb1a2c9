import express, { type Router } from 'express';
import * as z from 'zod';
import { nodeResource } from '../nodes/node.ts';
import { nodeName, type Parts } from '../parts.ts';
import { Settings } from '../settings.ts';
import { invalid } from '../tpuError.ts';
import { found } from './request.ts';

const Key = z.strictObject({ zone: z.string(), name: z.string() });

/**
 * What Google does by itself, for a test to ask for, and what it sends a bill for:
 *
 *     POST /_local/tpu/settings   replaces the settings, `{}` takes them back; GET shows them
 *     POST /_local/tpu/preempt    `{ zone, name }` of a node
 *     GET  /_local/tpu/bill       what each node ran
 */
export function localRoutes({ context, tables, nodes, queue, settings }: Parts): Router {
  return express
    .Router()
    .get('/_local/tpu/settings', (_request, response) => void response.json(settings))
    .post('/_local/tpu/settings', express.json(), (request, response) => {
      const parsed = Settings.safeParse(request.body ?? {});
      if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
      Object.assign(settings, parsed.data);
      queue.look();
      response.json(settings);
    })
    .post('/_local/tpu/preempt', express.json(), (request, response) => {
      const key = Key.safeParse(request.body);
      if (!key.success) throw invalid(z.prettifyError(key.error));
      nodes.preempt(key.data);
      const node = found(tables.nodes.get(key.data), nodeName(context, key.data));
      response.json(nodeResource(context, node));
    })
    .get('/_local/tpu/bill', (_request, response) => {
      response.json(tables.runs.all());
    });
}
