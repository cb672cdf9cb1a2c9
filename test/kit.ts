import type { Cloud } from '../deploy/local/cloud/cloud.ts';
import type { SeenRequest } from '../deploy/local/cloud/requests.ts';
import type { Fields, Log } from '../shared/log.ts';
import type { Message, Publish } from '../shared/publish.ts';

/** What reached a service of the local cloud since `forget`. */
export async function requestsAt(cloud: Cloud, service: string): Promise<SeenRequest[]> {
  const answer = await fetch(`${cloud.origin}/_local/requests?service=${service}`);
  return ((await answer.json()) as { requests: SeenRequest[] }).requests;
}

export async function forgetRequests(cloud: Cloud): Promise<void> {
  await fetch(`${cloud.origin}/_local/requests`, { method: 'DELETE' });
}

/** Switches these faults on, and those before off. */
export async function setFaults(cloud: Cloud, ...faults: object[]): Promise<void> {
  await fetch(`${cloud.origin}/_local/faults`, { method: 'DELETE' });
  if (faults.length === 0) return;
  const answer = await fetch(`${cloud.origin}/_local/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(faults),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

type Entry = { severity: string; message: string } & Fields;

/** A log that remembers. */
export function rememberLog(): Log & { entries: Entry[] } {
  const entries: Entry[] = [];
  const as = (severity: string) => (message: string, fields?: Fields) => {
    entries.push({ ...fields, severity, message });
  };
  return { entries, info: as('INFO'), warning: as('WARNING'), error: as('ERROR') };
}

/** A `Publish` that remembers; `fail` is thrown by the next call instead. */
export function rememberPublish(): Publish & { sent: (Message & { topic: string })[]; fail?: unknown } {
  const sent: (Message & { topic: string })[] = [];
  const publish: Publish & { sent: typeof sent; fail?: unknown } = Object.assign(
    async (topic: string, messages: Message[]) => {
      const { fail } = publish;
      delete publish.fail;
      if (fail) throw fail;
      sent.push(...messages.map((message) => ({ topic, ...message })));
    },
    { sent },
  );
  return publish;
}

/** The generation that every write to a bucket must name. */
export const isUnconditionalWrite = ({ method, url }: SeenRequest): boolean =>
  method !== 'GET' && /\/(storage\/v1\/)?b\/[^/]+\/o/.test(url) && !/ifGenerationMatch=|upload_id=/.test(url);
