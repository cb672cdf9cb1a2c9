import { randomBytes } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import * as z from 'zod';
import { GoogleError } from '../googleError.ts';
import { jsonBody } from '../jsonBody.ts';
import type { IdTokens } from './idTokens.ts';
import { lifetime } from './lifetime.ts';

export const newAccessToken = () => `local.${randomBytes(24).toString('base64url')}`;

const AccessTokenRequest = z.object({ scope: z.array(z.string()).min(1) });
const IdTokenRequest = z.object({
  audience: z.string().min(1),
  includeEmail: z.boolean().default(false),
});

/**
 * Short-lived credentials of any service account: here, whoever has a token may have one in its name.
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts
 */
export function credentialsRoutes({ issue }: IdTokens): Router {
  const path = (verb: string) => new RegExp(`^/v1/projects/-/serviceAccounts/([^/:]+):${verb}$`);
  return express
    .Router()
    .post(path('generateAccessToken'), jsonBody(64 * 1024), (request: Request, response: Response) => {
      const email = accountOf(request);
      const { scope } = check(AccessTokenRequest, request.body);
      response.locals.detail = { account: email, scope };
      const expireTime = new Date(Date.now() + lifetime * 1000).toISOString();
      response.json({ accessToken: newAccessToken(), expireTime });
    })
    .post(path('generateIdToken'), jsonBody(64 * 1024), (request: Request, response: Response) => {
      const email = accountOf(request);
      const { audience, includeEmail: withEmail } = check(IdTokenRequest, request.body);
      response.locals.detail = { account: email, audience };
      response.json({ token: issue({ email, audience, withEmail }) });
    });
}

function accountOf(request: Request): string {
  if (!/^Bearer \S/.test(request.get('authorization') ?? ''))
    throw new GoogleError(401, 'authError', 'Request is missing required authentication credential.');
  const email = request.params[0] ?? '';
  if (!email.endsWith('.gserviceaccount.com'))
    throw new GoogleError(404, 'notFound', `Unknown service account: ${email}`);
  return email;
}

function check<T>(schema: z.ZodType<T>, body: unknown): T {
  const asked = schema.safeParse(body);
  if (asked.success) return asked.data;
  throw new GoogleError(400, 'badRequest', z.prettifyError(asked.error));
}
