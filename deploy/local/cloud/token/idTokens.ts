import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateOf } from './certificate.ts';
import { lifetime } from './lifetime.ts';

export type IdTokens = {
  /** A token that says who calls, for one audience. */
  issue(who: { email: string; audience: string; withEmail: boolean }): string;
  /** `/oauth2/v1/certs`: a certificate for each key. */
  certificates(): Record<string, string>;
  /** `/oauth2/v3/certs`: the same keys as JWKs. */
  keys(): object[];
};

/**
 * ID tokens as Google issues them, signed with a key of this folder's own.
 * https://cloud.google.com/docs/authentication/token-types#id
 */
export function createIdTokens(folder: string): IdTokens {
  let opened: Signer | undefined;
  // Most tests need none, and a key takes a tenth of a second to make.
  const signer = () => {
    opened ??= openSigner(folder);
    return opened;
  };
  return {
    issue({ email, audience, withEmail }) {
      const { kid, privateKey } = signer();
      const now = Math.floor(Date.now() / 1000);
      const subject = idOf(email);
      const claims = {
        aud: audience,
        azp: subject,
        ...(withEmail ? { email, email_verified: true } : {}),
        exp: now + lifetime,
        iat: now,
        iss: 'https://accounts.google.com',
        sub: subject,
      };
      const signed = [{ alg: 'RS256', kid, typ: 'JWT' }, claims].map(encode).join('.');
      return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`;
    },
    certificates() {
      const { kid, certificate } = signer();
      return { [kid]: certificate };
    },
    keys() {
      const { kid, publicKey } = signer();
      return [{ ...publicKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid }];
    },
  };
}

type Signer = { kid: string; privateKey: KeyObject; publicKey: KeyObject; certificate: string };

function openSigner(folder: string): Signer {
  const privateKey = readKey(join(folder, 'id-token-key.pem'));
  const publicKey = createPublicKey(privateKey);
  const digest = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
  const certificate = certificateOf(
    { privateKey, publicKey },
    {
      name: 'federated-signon.gazeline.local',
      serial: digest.subarray(0, 7),
      from: new Date('2026-01-01'),
      to: new Date('2049-01-01'),
    },
  );
  return { kid: digest.subarray(0, 20).toString('hex'), privateKey, publicKey, certificate };
}

/** The number by which Google knows an account: 21 digits. */
const idOf = (email: string) =>
  `1${BigInt(`0x${createHash('sha256').update(email).digest('hex').slice(0, 16)}`)}`
    .padEnd(21, '0')
    .slice(0, 21);

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The same after a restart: tokens that are on their way stay good. */
function readKey(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(`${file}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return createPrivateKey(readFileSync(file));
}
