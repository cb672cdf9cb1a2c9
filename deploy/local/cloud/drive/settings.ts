import type { RequestHandler } from 'express';
import * as z from 'zod';
import { GoogleError } from '../googleError.ts';
import { Settings, type Tree } from './tree.ts';

/** Replaces the settings, and answers with them: `{"childEntries":true}`; `{}` takes them back. */
export const changeSettings =
  ({ settings }: Tree): RequestHandler =>
  (request, response) => {
    const parsed = Settings.safeParse(request.body ?? {});
    if (!parsed.success) throw new GoogleError(400, 'invalid', z.prettifyError(parsed.error));
    for (const name of Settings.keyof().options) delete settings[name];
    response.json(Object.assign(settings, parsed.data));
  };
