import express, { type Router } from 'express';
import * as z from 'zod';
import { GoogleError } from '../../googleError.ts';
import type { Parts } from '../parts.ts';
import { changeSettings } from '../settings.ts';

const Key = z.strictObject({ zone: z.string(), name: z.string() });

/**
 * What Google does by itself, for a test to ask for, and what it sends a bill for:
 *
 *     POST /_local/compute/settings   replaces the settings; GET shows them
 *     POST /_local/compute/preempt    `{ zone, name }`
 *     GET  /_local/compute/bill       what each machine ran
 */
export function localRoutes({ tables, operations, life, settings }: Parts): Router {
  return express
    .Router()
    .get('/_local/compute/settings', (_request, response) => void response.json(settings))
    .post('/_local/compute/settings', express.json(), changeSettings(settings))
    .post('/_local/compute/preempt', express.json(), (request, response) => {
      const key = Key.safeParse(request.body);
      if (!key.success) throw new GoogleError(400, 'invalid', z.prettifyError(key.error));
      response.json(operations.resource(life.preempt(key.data)));
    })
    .get('/_local/compute/bill', (_request, response) => {
      response.json(tables.runs.all());
    });
}
