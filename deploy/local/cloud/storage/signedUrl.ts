import { createHash, type KeyObject, verify } from 'node:crypto';
import type { Request } from 'express';
import { GoogleError } from '../googleError.ts';

const week = 7 * 24 * 3600;

/**
 * Checks a V4 signed URL. https://cloud.google.com/storage/docs/authentication/canonical-requests
 * @throws 400 ExpiredToken, 403 SignatureDoesNotMatch, and 400 for what is no signed URL at all
 */
export function verifySignedUrl(
  request: Request,
  { publicKey, email }: { publicKey: KeyObject; email: string },
) {
  const [path = '', search = ''] = request.originalUrl.split('?');
  const query = new URLSearchParams(search);
  const need = (name: string) => {
    const value = query.get(`X-Goog-${name}`);
    if (value === null) throw invalid(`The query parameter X-Goog-${name} is missing.`);
    return value;
  };
  const [algorithm, date, signature] = [need('Algorithm'), need('Date'), need('Signature')];
  const [signer, ...scope] = need('Credential').split('/');
  const lifetime = Number(need('Expires'));
  const begin = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (algorithm !== 'GOOG4-RSA-SHA256') throw invalid(`Unsupported X-Goog-Algorithm: ${algorithm}`);
  if (Number.isNaN(begin)) throw invalid('X-Goog-Date has the wrong form.');
  if (!(lifetime >= 0 && lifetime <= week)) throw invalid(`X-Goog-Expires must be at most ${week}.`);

  query.delete('X-Goog-Signature');
  const canonicalQuery = Array.from(query, ([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const signedHeaders = need('SignedHeaders').split(';');
  if (!signedHeaders.includes('host')) throw invalid('X-Goog-SignedHeaders must have host.');
  const host = request.get('host') ?? '';
  // Google's host has no port. Some libraries sign ours with it, the one for Node without.
  const candidates = [host, host.replace(/:\d+$/, '')].map((signedHost) => {
    const headers = signedHeaders.map((name) => {
      const value = name === 'host' ? signedHost : (request.get(name) ?? '');
      return `${name}:${value.trim().replace(/\s+/g, ' ')}\n`;
    });
    const payload = request.get('x-goog-content-sha256') ?? 'UNSIGNED-PAYLOAD';
    const canonical = [
      request.method,
      path,
      canonicalQuery,
      headers.join(''),
      signedHeaders.join(';'),
      payload,
    ];
    const hash = createHash('sha256').update(canonical.join('\n')).digest('hex');
    return [algorithm, date, scope.join('/'), hash].join('\n');
  });
  const bytes = Buffer.from(signature, 'hex');
  const matches = (signed: string) => verify('RSA-SHA256', Buffer.from(signed), publicKey, bytes);
  if (signer !== email || !candidates.some(matches)) {
    throw new GoogleError(
      403,
      'SignatureDoesNotMatch',
      `Access denied. The signature does not match; expected that of ${email} over ${JSON.stringify(candidates[0])}`,
    );
  }
  const end = begin + lifetime * 1000;
  if (Date.now() > end) {
    const when = new Date(end).toISOString();
    throw new GoogleError(400, 'ExpiredToken', `The provided token has expired at ${when}.`);
  }
  // Clocks may differ a little.
  if (Date.now() < begin - 15 * 60_000) {
    throw new GoogleError(403, 'AccessDenied', 'The signed URL is not valid yet.');
  }
}

const invalid = (message: string) => new GoogleError(400, 'InvalidArgument', message);

/** As RFC 3986 wants it. */
const encode = (value: string) =>
  encodeURIComponent(value).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
