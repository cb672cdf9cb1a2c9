import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, verify } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import { GoogleError } from '../googleError.ts';
import type { Context, Service } from '../service.ts';
import { credentialsRoutes, newAccessToken } from './credentials.ts';
import { createIdTokens } from './idTokens.ts';
import { lifetime } from './lifetime.ts';

/** The service account that the functions run as, locally: a real key pair, good for this folder only. */
export type ServiceAccount = {
  /** The key file, in the format of a downloaded key, for `GOOGLE_APPLICATION_CREDENTIALS`. */
  keyFile: string;
  email: string;
  publicKey: KeyObject;
};

export type TokenService = Service & { serviceAccount: ServiceAccount };

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const certificateCaching = 'public, max-age=20000, must-revalidate, no-transform';

/**
 * The token endpoint of the service-account flow: a signed assertion comes in, an access token goes out, or, for a target
 * audience, an ID token; and who checks ID tokens finds Google's certificates here.
 * https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export function createToken({ store, project }: Context): TokenService {
  const folder = join(store.dir, '.cloud');
  const serviceAccount = readServiceAccount(folder, project);
  const idTokens = createIdTokens(folder);

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
      const { target_audience: audience } = claimsOf(assertion);
      if (audience) {
        const { email } = serviceAccount;
        return void response.json({ id_token: idTokens.issue({ email, audience, withEmail: true }) });
      }
      response.json({
        access_token: newAccessToken(),
        token_type: 'Bearer',
        expires_in: lifetime,
      });
    })
    .get('/oauth2/v1/certs', (_request, response) => {
      response.set('cache-control', certificateCaching).json(idTokens.certificates());
    })
    .get('/oauth2/v3/certs', (_request, response) => {
      response.set('cache-control', certificateCaching).json({ keys: idTokens.keys() });
    })
    .use(credentialsRoutes(idTokens));

  return {
    name: 'token',
    owns: /^\/(token$|oauth2\/v[13]\/certs$|v1\/projects\/-\/serviceAccounts\/)/,
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
  const claims = claimsOf(assertion);
  if (claims.iss !== email) return `Invalid grant: account ${claims.iss} not found`;
  if (!claims.exp || claims.exp * 1000 < Date.now()) return 'Invalid JWT: it has expired';
  return undefined;
}

const claimsOf = (assertion: string) =>
  JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as {
    iss?: string;
    exp?: number;
    target_audience?: string;
  };

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
