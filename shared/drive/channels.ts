import * as z from 'zod';

/** A push channel, by which Drive tells us that something has changed. */
const Channel = z.object({
  id: z.string(),
  address: z.string(),
  /** Given by Drive in its answer; needed to stop the channel. */
  resourceId: z.string().optional(),
  openedAt: z.iso.datetime().optional(),
  expiration: z.iso.datetime(),
});
export type Channel = z.infer<typeof Channel>;
export const Channels = z.array(Channel);
export const channelsRecord = 'drive/channels.json';
