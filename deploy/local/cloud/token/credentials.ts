import express, { type Request, type Response, type Router } from 'express';
import * as z from 'zod';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import type { IdTokens } from './idTokens.ts';

const IdTokenRequest = z.object({
  audience: z.string().min(1),
  includeEmail: z.boolean().default(false),
});

/**
 * Short-lived credentials of any service account: here, whoever reaches this port may have them.
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts
 */
export function credentialsRoutes({ issue }: IdTokens): Router {
  const path = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateIdToken$/;
  return express.Router().post(path, jsonBody(64 * 1024), (request: Request, response: Response) => {
    if (!/^Bearer \S/.test(request.get('authorization') ?? ''))
      throw new GoogleError(401, 'authError', 'Request is missing required authentication credential.');
    const email = request.params[0] ?? '';
    if (!email.endsWith('.gserviceaccount.com'))
      throw new GoogleError(404, 'notFound', `Unknown service account: ${email}`);
    const asked = IdTokenRequest.safeParse(request.body);
    if (!asked.success) throw new GoogleError(400, 'badRequest', z.prettifyError(asked.error));
    const { audience, includeEmail: withEmail } = asked.data;
    response.json({ token: issue({ email, audience, withEmail }) });
  });
}
