import { randomUUID } from 'node:crypto';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { type Channel, Channels, channelsRecord } from '../shared/drive/channels.ts';
import { channelToken } from '../shared/drive/channelToken.ts';
import { statusOf } from '../shared/drive/driveFile.ts';
import type { Log } from '../shared/log.ts';
import { notYetIn } from '../shared/once.ts';
import type { Records } from '../shared/storage/records.ts';

const day = 24 * 60 * 60 * 1000;
/** Drive's longest. https://developers.google.com/workspace/drive/api/guides/push#create-notification-channels */
const lifetime = 7 * day;
/** The next channel begins this long before the last one ends: two in force at a time are allowed, none is a gap. */
const overlap = day;

export type DriveTickDependencies = {
  drive: drive_v3.Drive;
  records: Records;
  publishDrain: () => Promise<void>;
  webhookUrl?: string | undefined;
  channelSecret?: string | undefined;
  sharedDrive?: string | undefined;
  log: Log;
};

/**
 * Polls the change feed, whether or not pushes arrive, and keeps a push channel open where Drive can reach us. The poll
 * comes first: a channel that cannot be had must not stop it.
 */
export async function driveTick(
  { time }: { time: Date },
  dependencies: DriveTickDependencies,
): Promise<void> {
  await dependencies.publishDrain();
  const { webhookUrl, channelSecret, log } = dependencies;
  if (!webhookUrl) return;
  if (!channelSecret) throw new Error('GAZELINE_CHANNEL_SECRET is not set, but GAZELINE_WEBHOOK_URL is');
  try {
    await renewChannel(time, webhookUrl, channelSecret, dependencies);
  } catch (error) {
    const notYet = notYetIn(error);
    // The next tick tries again; that is well within the day for which the last channel still holds.
    if (notYet) log.warning('no push channel yet; changes are still polled', { reason: notYet.message });
    else log.error('no push channel; changes are still polled', { error });
  }
}

async function renewChannel(
  time: Date,
  address: string,
  secret: string,
  { drive, records, sharedDrive, log }: DriveTickDependencies,
): Promise<void> {
  const name = channelsRecord;
  const channels = (await records.read(name, Channels))?.value ?? [];
  const isFresh = ({ openedAt, expiration }: Channel) => {
    // Drive may grant less than was wished, and then the overlap is not a day either.
    const granted = openedAt ? Date.parse(expiration) - Date.parse(openedAt) : lifetime;
    return Date.parse(expiration) - time.getTime() > Math.min(overlap, granted / 2);
  };
  const fresh = channels.filter((channel) => channel.address === address && isFresh(channel));
  if (fresh.length > 0) {
    // A channel that is in its overlap is stopped once another one has taken over; then nothing comes twice.
    for (const channel of channels) if (!fresh.includes(channel)) await stopChannel(drive, channel, log);
    if (fresh.length < channels.length) await records.update(name, Channels, () => fresh);
    return;
  }

  const id = randomUUID();
  const sharedDriveOptions = sharedDrive
    ? { driveId: sharedDrive, supportsAllDrives: true, includeItemsFromAllDrives: true }
    : { supportsAllDrives: true };
  const { data: start } = await drive.changes.getStartPageToken(sharedDriveOptions);
  const wished = time.getTime() + lifetime;
  const { data } = await drive.changes.watch({
    ...sharedDriveOptions,
    pageToken: start.startPageToken ?? '',
    requestBody: {
      id,
      type: 'web_hook',
      address,
      token: channelToken(secret, id),
      expiration: String(wished),
    },
  });
  // Recorded when it is there: one that is refused leaves nothing. Should we die before, it ends by itself in a week.
  const channel: Channel = {
    id,
    address,
    ...(data.resourceId ? { resourceId: data.resourceId } : {}),
    openedAt: time.toISOString(),
    expiration: new Date(Number(data.expiration ?? wished)).toISOString(),
  };
  await records.update(name, Channels, (before = []) => [...before, channel]);
  log.info('channel opened', { channel: id, expiration: channel.expiration });
}

async function stopChannel(drive: drive_v3.Drive, { id, resourceId }: Channel, log: Log): Promise<void> {
  if (!resourceId) return;
  try {
    await drive.channels.stop({ requestBody: { id, resourceId } });
    log.info('channel stopped', { channel: id });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}
