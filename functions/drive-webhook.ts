import * as z from 'zod';
import { isChannelToken } from '../shared/drive/channelToken.ts';
import type { Answer } from '../shared/trigger.ts';

/** https://developers.google.com/workspace/drive/api/guides/push#understand-drive-api-notification-events */
export const Notification = z.object({
  headers: z.looseObject({
    'x-goog-channel-id': z.string().max(64).optional(),
    'x-goog-channel-token': z.string().max(256).optional(),
    'x-goog-resource-state': z.string().optional(),
  }),
});
export type Notification = z.infer<typeof Notification>;

/**
 * Drive says that something changed, not what. Whoever does not know the token of the channel learns nothing: not even
 * whether the channel exists.
 */
export async function driveWebhook(
  { headers }: Notification,
  { channelSecret, requestDrain }: { channelSecret: string | undefined; requestDrain: () => Promise<void> },
): Promise<Answer> {
  const { 'x-goog-channel-id': id, 'x-goog-channel-token': token, 'x-goog-resource-state': state } = headers;
  if (!channelSecret || !id || !token || !isChannelToken(channelSecret, id, token)) return { status: 404 };
  // `sync` announces the channel itself. Every other state, also one that is not documented yet, means a change.
  if (state !== 'sync') await requestDrain();
  return { status: 204 };
}
