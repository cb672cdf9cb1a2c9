import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import * as z from 'zod';
import { GoogleError } from '../googleError.ts';
import { logOf } from './changes.ts';
import { fieldsOf } from './fields.ts';
import { newest, pageTokenOf } from './pageToken.ts';
import type { Channel } from './push.ts';
import { answer, type Drive, flag, text } from './request.ts';

const hour = 3_600_000;
const longest = 7 * 24 * hour;

/** https://developers.google.com/workspace/drive/api/guides/push#make-watch-requests */
const WatchBody = z.object({
  id: z.string().regex(/^[A-Za-z0-9\-_+/=]{1,64}$/),
  type: z.enum(['web_hook', 'webhook']),
  address: z.string(),
  token: z.string().max(256).nullish(),
  /** Milliseconds since 1970. */
  expiration: z.coerce.number().int().nullish(),
});

const channelFields = fieldsOf('kind id resourceId resourceUri token expiration type address payload params');

/** changes.watch: from now on, a push for whatever goes into the log. */
export const watchChanges =
  (drive: Drive): RequestHandler =>
  (request, response) => {
    const { tree, pusher } = drive;
    const log = logOf(drive, request);
    const pageToken = pageTokenOf(drive, request);
    const parsed = WatchBody.safeParse(request.body ?? {});
    if (!parsed.success) throw bad('invalid', z.prettifyError(parsed.error));
    const { id, address, token = null, expiration } = parsed.data;
    checkAddress(address);
    if (tree.get('SELECT id FROM drive_channels WHERE id = ?', id)) {
      throw bad('channelIdNotUnique', `Channel id ${id} not unique`);
    }
    const now = Date.now();
    if (expiration && expiration <= now) throw bad('invalid', 'The expiration is in the past');
    const channel: Channel = {
      id,
      log,
      address,
      token,
      // The same for every channel on the same log.
      resourceId: createHash('sha256').update(`${drive.tree.study} ${log}`).digest('base64url').slice(0, 27),
      resourceUri: `https://www.googleapis.com/drive/v3/changes?${new URLSearchParams({
        alt: 'json',
        pageToken: String(pageToken),
        ...(flag(request, 'supportsAllDrives') ? { supportsAllDrives: 'true' } : {}),
        ...(text(request, 'driveId') ? { driveId: log } : {}),
      })}`,
      expiration: Math.min(expiration || now + hour, now + longest),
      stopped: 0,
      number: 1,
      told: newest(drive),
    };
    const columns = Object.keys(channel);
    tree.run(
      `INSERT INTO drive_channels (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      ...Object.values(channel),
    );
    // At Google it may well arrive before the answer.
    pusher.sync(channel);
    const { resourceId, resourceUri } = channel;
    const body = {
      ...{ kind: 'api#channel', id, resourceId, resourceUri, expiration: String(channel.expiration) },
      ...(token === null ? {} : { token }),
    };
    answer(request, response, body, '*', channelFields);
  };

/** channels.stop: 204, or 404 for a channel that is not there (any more). */
export const stopChannel =
  ({ tree }: Drive): RequestHandler =>
  (request, response) => {
    const { id, resourceId } = (request.body ?? {}) as Record<string, unknown>;
    const { changes } = tree.run(
      'UPDATE drive_channels SET stopped = 1 WHERE id = ? AND resourceId = ? AND NOT stopped AND expiration > ?',
      ...[String(id), String(resourceId), Date.now()],
    );
    if (!changes) throw new GoogleError(404, 'notFound', `Channel '${id}' not found for project`);
    response.status(204).end();
  };

/** Google sends to HTTPS only; here a server on the same machine may do without. */
function checkAddress(address: string): void {
  const { protocol, hostname } = URL.parse(address) ?? {};
  const isLoopback =
    hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname ?? '');
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback)) return;
  throw bad('push.webhookUrlNotHttps', `WebHook callback must be HTTPS: ${address}`);
}

const bad = (reason: string, message: string) => new GoogleError(400, reason, message);
