import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, verify } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import { GoogleError } from '../googleError.ts';
import type { Context, Service } from '../service.ts';

/** The service account that the functions run as, locally: a real key pair, good for this folder only. */
export type ServiceAccount = {
  /** The key file, in the format of a downloaded key, for `GOOGLE_APPLICATION_CREDENTIALS`. */
  keyFile: string;
  email: string;
  publicKey: KeyObject;
};

export type TokenService = Service & { serviceAccount: ServiceAccount };

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const lifetime = 3600;
const newToken = () => `local.${randomBytes(24).toString('base64url')}`;

const accounts = '/v1/projects/-/serviceAccounts';

/**
 * The token endpoint of the service-account flow: a signed assertion comes in, an access token goes out. And tokens in the
 * name of another account.
 * https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
 */
export function createToken({ store, project }: Context): TokenService {
  const serviceAccount = readServiceAccount(join(store.dir, '.cloud'), project);

  const router = express
    .Router()
    .post('/token', express.urlencoded({ limit: '64kb' }), (request, response) => {
      const { grant_type, assertion } = (request.body ?? {}) as Record<string, unknown>;
      if (grant_type !== grantType || typeof assertion !== 'string') {
        throw new GoogleError(400, 'invalid_request', `Expected grant_type=${grantType} and an assertion`);
      }
      const refusal = refusalOf(assertion, serviceAccount);
      // OAuth errors have a shape of their own. https://www.rfc-editor.org/rfc/rfc6749#section-5.2
      if (refusal)
        return void response.status(400).json({ error: 'invalid_grant', error_description: refusal });
      response.json({
        access_token: newToken(),
        token_type: 'Bearer',
        expires_in: lifetime,
      });
    })
    // Whoever has a token may have one in any other account's name: there are no permissions here.
    .post(`${accounts}/:call`, express.json({ limit: '64kb' }), (request, response) => {
      const [account = '', verb] = (request.params.call ?? '').split(':');
      if (verb !== 'generateAccessToken')
        throw new GoogleError(404, 'notFound', `The local cloud does not know ${verb} of service accounts`);
      const { scope } = (request.body ?? {}) as { scope?: unknown };
      if (!Array.isArray(scope) || scope.length === 0)
        throw new GoogleError(400, 'badRequest', 'Request contains an invalid argument: scope');
      response.locals.detail = { account, scope };
      const expireTime = new Date(Date.now() + lifetime * 1000).toISOString();
      response.json({ accessToken: newToken(), expireTime });
    });

  return {
    name: 'token',
    owns: /^\/token$|^\/v1\/projects\/-\/serviceAccounts\//,
    router,
    pending: () => 0,
    serviceAccount,
    close: async () => {},
  };
}

function refusalOf(assertion: string, { email, publicKey }: ServiceAccount): string | undefined {
  const [header, payload, signature] = assertion.split('.');
  if (!header || !payload || !signature) return 'The assertion is not a signed JWT';
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url')))
    return 'Invalid JWT Signature.';
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss?: string; exp?: number };
  if (claims.iss !== email) return `Invalid grant: account ${claims.iss} not found`;
  if (!claims.exp || claims.exp * 1000 < Date.now()) return 'Invalid JWT: it has expired';
  return undefined;
}

function readServiceAccount(folder: string, project: string): ServiceAccount {
  const keyFile = join(folder, 'service-account.json');
  if (!existsSync(keyFile)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = {
      type: 'service_account',
      project_id: project,
      private_key_id: randomBytes(20).toString('hex'),
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: `gazeline@${project}.iam.gserviceaccount.com`,
      client_id: '100000000000000000000',
      token_uri: 'https://oauth2.googleapis.com/token',
      universe_domain: 'googleapis.com',
    };
    writeFileSync(`${keyFile}.new`, JSON.stringify(key, null, 2), { mode: 0o600 });
    renameSync(`${keyFile}.new`, keyFile);
  }
  const { client_email, private_key } = JSON.parse(readFileSync(keyFile, 'utf8')) as Record<string, string>;
  return { keyFile, email: client_email ?? '', publicKey: createPublicKey(private_key ?? '') };
}
