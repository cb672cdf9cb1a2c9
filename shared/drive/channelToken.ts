import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The token of a push channel, which Drive sends back with every notification: the only proof of origin that it
 * offers. It follows from the channel's id, so the webhook can tell without reading anything.
 */
export function channelToken(secret: string, channelId: string): string {
  return createHmac('sha256', secret).update(channelId).digest('base64url');
}

/** In constant time, whatever the token looks like. */
export function isChannelToken(secret: string, channelId: string, token: string): boolean {
  const expected = createHmac('sha256', secret).update(channelToken(secret, channelId)).digest();
  const given = createHmac('sha256', secret).update(token).digest();
  return timingSafeEqual(expected, given);
}
