import type { RequestHandler } from 'express';
import type { Parts } from './parts.ts';
import { present, stateOf } from './resource.ts';

/**
 * Where the link to an instance leads: to its Jupyter, once that answers; else to what is missing, in words. It stands for
 * Google's proxy.
 */
export const openNotebook =
  (parts: Parts): RequestHandler =>
  ({ params }, response) => {
    const { zone = '', name = '' } = params as Record<string, string>;
    const { tables, machines } = parts;
    const notebook = tables.instances.get({ zone, name });
    const one = notebook && present(parts, notebook);
    const say = (status: number, text: string) =>
      void response.status(status).type('text/plain').send(`${text}\n`);
    if (!one) return say(404, `There is no Workbench instance ${name} in ${zone}.`);
    const state = stateOf(parts, one);
    if (state !== 'ACTIVE') return say(503, `${name} is ${state}. Come again when it is ACTIVE.`);
    const { missing, jupyter } =
      machines.parts.life.runtime(notebook)?.metadata?.guestAttributes.notebooks ?? {};
    if (missing) return say(501, missing);
    if (!jupyter) return say(503, `The Jupyter of ${name} is starting. Come again in some seconds.`);
    response.redirect(302, jupyter);
  };
