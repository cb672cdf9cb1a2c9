import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../service.ts';
import type { Tree } from './tree.ts';

export type Channel = {
  id: string;
  resourceId: string;
  resourceUri: string;
  log: string;
  address: string;
  token: string | null;
  /** Milliseconds since 1970. */
  expiration: number;
  stopped: number;
  /** Of the last message. */
  number: number;
  /** The last entry of the log that the channel was told of. */
  told: number;
};

export type Pusher = {
  /** Something went into a log. */
  wake(): void;
  /** Says that the channel is there. */
  sync(channel: Channel): void;
  /** Messages that are due or under way. */
  pending(): number;
  close(): Promise<void>;
};

/** Changes that come within so many milliseconds are one message. */
const coalesced = 40;
/** https://developers.google.com/workspace/drive/api/guides/push#responding-to-notifications */
const retried = [500, 502, 503, 504];
const retries = 6;

/** Sends the messages of push channels. What is due is a matter of the tables, and so survives a restart. */
export function createPusher(tree: () => Tree, { faults, requests }: Context): Pusher {
  const busy = new Set<string>();
  const underWay = new Set<Promise<void>>();
  const closing = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  const due = () =>
    tree().all<Channel & { newest: number }>(
      `SELECT c.*, (SELECT max(seq) FROM drive_changes WHERE log = c.log) AS newest FROM drive_channels c
        WHERE NOT stopped AND expiration > ? AND newest > told`,
      Date.now(),
    );

  function wake() {
    if (closing.signal.aborted) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const channel of due()) if (!busy.has(channel.id)) follow(tell(channel));
    }, coalesced);
  }

  function follow(work: Promise<void>) {
    const followed = work.finally(() => underWay.delete(followed));
    underWay.add(followed);
  }

  async function tell({ newest, ...channel }: Channel & { newest: number }) {
    busy.add(channel.id);
    const isTold = () => tree().run('UPDATE drive_channels SET told = ? WHERE id = ?', newest, channel.id);
    const numbered = nextNumber(channel);
    const strike = faults.strike('drive', ['lostPush', 'doubledPush', 'latePush'], {
      path: channel.address,
    });
    if (strike?.kind === 'latePush') {
      const late = sleep(Math.random() * strike.ms, undefined, { signal: closing.signal });
      follow(late.then(() => send(numbered, 'change')).catch(ignore));
    } else if (strike?.kind !== 'lostPush') await send(numbered, 'change');
    if (strike?.kind === 'doubledPush') await send(numbered, 'change');
    busy.delete(channel.id);
    if (closing.signal.aborted) return;
    isTold();
    wake();
  }

  function nextNumber(channel: Channel): Channel {
    // The numbers rise, but not one by one.
    const number = channel.number + 1 + (channel.number % 3);
    tree().run('UPDATE drive_channels SET number = ? WHERE id = ?', number, channel.id);
    return { ...channel, number };
  }

  async function send(channel: Channel, state: 'sync' | 'change'): Promise<void> {
    for (let attempt = 0; attempt <= retries; attempt++) {
      const status = await post(channel, state);
      if (!retried.includes(status) || closing.signal.aborted) return;
      await sleep(250 * 2 ** attempt, undefined, { signal: closing.signal }).catch(ignore);
    }
  }

  /** @returns the status of the answer, 0 if there was none: then the message is lost, as it is at Google */
  async function post({ address, ...channel }: Channel, state: string): Promise<number> {
    let status = 0;
    try {
      const response = await fetch(address, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(30_000)]),
        headers: {
          'User-Agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
          'X-Goog-Channel-ID': channel.id,
          'X-Goog-Channel-Expiration': new Date(channel.expiration).toUTCString(),
          'X-Goog-Message-Number': String(channel.number),
          'X-Goog-Resource-ID': channel.resourceId,
          'X-Goog-Resource-State': state,
          'X-Goog-Resource-URI': channel.resourceUri,
          ...(channel.token === null ? {} : { 'X-Goog-Channel-Token': channel.token }),
        },
      });
      status = response.status;
      await response.body?.cancel();
    } catch {
      // Nobody listens there, or the answer did not come in time.
    }
    requests.add({ service: 'drive', method: 'PUSH', url: address, status, detail: { op: `push.${state}` } });
    return status;
  }

  return {
    wake,
    sync: (channel) => follow(send(channel, 'sync')),
    pending: () => due().filter(({ id }) => !busy.has(id)).length + underWay.size,
    async close() {
      closing.abort();
      clearTimeout(timer);
      await Promise.all(underWay);
    },
  };
}

const ignore = () => {};
