import { lazy } from '../clients.ts';
import type { CheckIdToken } from './identify.ts';

const google = 'https://www.googleapis.com';

/**
 * Checks ID tokens with Google's certificates: signature, issuer, audience and time. On Cloud Run this is done before,
 * but there the audience may be another service's, and a token for one of them would be good for all.
 * @param audiences of a good token: the addresses of the API
 * @param certificates where they are, if not at Google
 * @throws if the certificates cannot be had: that says nothing of the token
 */
export function checkIdTokens(audiences: string[], certificates = google): CheckIdToken {
  const client = lazy(async () => {
    const { OAuth2Client } = (await import('google-auth-library')).default;
    return new OAuth2Client({
      endpoints: { oauth2FederatedSignonPemCertsUrl: `${certificates}/oauth2/v1/certs` },
    });
  });
  return async (token) => {
    const library = await client();
    const { certs } = await library.getFederatedSignonCertsAsync();
    const ticket = await library
      .verifySignedJwtWithCertsAsync(token, certs, audiences, ['https://accounts.google.com'])
      // Its reason quotes the token.
      .catch(() => undefined);
    const { email, email_verified: isVerified } = ticket?.getPayload() ?? {};
    return email && isVerified === true ? email : undefined;
  };
}
