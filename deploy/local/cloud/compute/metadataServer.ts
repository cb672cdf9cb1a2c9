import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  areGuestAttributesOn,
  areOwn,
  asText,
  etagOf,
  type Folder,
  find,
  isFolder,
  listing,
  type MachineMetadata,
  recursiveJson,
  recursiveText,
  toJson,
  treeOf,
  type Value,
} from './metadataTree.ts';

export type MetadataServer = {
  /** `127.0.0.1:PORT`, for the machine's `GCE_METADATA_HOST`, which Google's libraries know as well. */
  host: string;
  /** Its owner has changed the machine: whoever waits for a change hears of it. */
  changed(): void;
  close(): Promise<void>;
};

export type MetadataServerOptions = {
  /** `{ access_token, expires_in, token_type }` of the machine's service account. */
  mintToken: () => Promise<object>;
  /** An ID token of the machine's service account; a machine without it has no identity. */
  mintIdToken?: (email: string, audience: string, withEmail: boolean) => Promise<string>;
  /** The guest has written or deleted a guest attribute; `machine` has it already. */
  guestWrote?: () => void;
  /** 0 takes a free one. */
  port?: number;
};

const base = '/computeMetadata/v1';
/** https://cloud.google.com/compute/docs/metadata/manage-guest-attributes */
const longestGuestValue = 256 * 1024;

/**
 * The metadata server of one machine, as Google's clients, `gcloud` and `curl` use it.
 * https://cloud.google.com/compute/docs/metadata/querying-metadata
 */
export async function startMetadataServer(
  machine: MachineMetadata,
  { mintToken, mintIdToken, guestWrote = () => {}, port = 0 }: MetadataServerOptions,
): Promise<MetadataServer> {
  const waiters = new Set<() => void>();
  const changed = () => {
    for (const look of [...waiters]) look();
  };
  const at = (path: string[]) => find(treeOf(machine, mintToken), path);

  /** Comes back when what lies there is not that any more, when the time is over, or when the client has gone. */
  const change = (path: string[], etag: string, seconds: number | undefined, response: ServerResponse) =>
    new Promise<void>((resolve) => {
      const end = () => {
        waiters.delete(look);
        clearTimeout(timer);
        resolve();
      };
      const look = () => {
        const now = at(path);
        if (now === undefined || etagOf(now) !== etag) end();
      };
      const timer = seconds === undefined ? undefined : setTimeout(end, seconds * 1000);
      waiters.add(look);
      response.once('close', end);
      look();
    });

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams, search } = new URL(request.url ?? '/', 'http://metadata.google.internal');
    // Who only asks whether this is Google needs no header. https://github.com/googleapis/google-auth-library-python
    if (pathname === '/') return send(response, 200, '0.1/\ncomputeMetadata/\n');
    if (request.headers['metadata-flavor'] !== 'Google')
      return refuse(response, 403, 'Missing Metadata-Flavor:Google header.');
    // What a proxy passes on may come from anybody.
    if (request.headers['x-forwarded-for'])
      return refuse(response, 403, 'Requests with an X-Forwarded-For header are not answered.');
    if (pathname === '/computeMetadata/') return send(response, 200, 'v1/\n');
    if (pathname !== base && !pathname.startsWith(`${base}/`)) return refuse(response, 404, 'Not found.');

    const path = pathname.slice(base.length).split('/').filter(Boolean).map(decodeURIComponent);
    const isGuest = path[0] === 'instance' && path[1] === 'guest-attributes';
    if (isGuest && !areGuestAttributesOn(machine))
      return refuse(response, 403, 'Guest attributes endpoint access is disabled.');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      if (!isGuest) return refuse(response, 405, 'Only guest attributes can be written.');
      return write(request, response, path.slice(2));
    }

    if (isIdentity(path, machine) && machine.serviceAccount && mintIdToken) {
      const audience = searchParams.get('audience');
      if (!audience) return refuse(response, 400, 'non-empty audience parameter required');
      // Without `format=full`, the token says a number and not the e-mail address.
      const isFull = searchParams.get('format') === 'full';
      return send(response, 200, await mintIdToken(machine.serviceAccount.email, audience, isFull));
    }

    const before = at(path);
    if (before === undefined) return refuse(response, 404, `${pathname} is not there.`);
    const isSlashed = pathname.endsWith('/');
    if (isFolder(before) && !isSlashed) {
      response.setHeader('Location', `http://${request.headers.host}${pathname}/${search}`);
      return send(response, 301, '');
    }
    if (!isFolder(before) && isSlashed) return refuse(response, 404, `${pathname} is not a folder.`);

    if (isTrue(searchParams.get('wait_for_change'))) {
      const seconds = searchParams.get('timeout_sec');
      const etag = searchParams.get('last_etag') || etagOf(before);
      await change(path, etag, seconds === null ? undefined : Number(seconds) || 0, response);
    }
    const node = at(path);
    if (node === undefined) return refuse(response, 404, `${pathname} is not there any more.`);
    response.setHeader('ETag', etagOf(node));
    await show(response, node, path, searchParams);
  };

  /** `PUT` and `DELETE` of `guest-attributes/NAMESPACE/KEY`. */
  const write = async (request: IncomingMessage, response: ServerResponse, path: string[]) => {
    const [namespace, key, ...rest] = path;
    if (!namespace || !key || rest.length > 0)
      return refuse(response, 400, 'A guest attribute is written as guest-attributes/NAMESPACE/KEY.');
    if (![namespace, key].every((name) => /^[a-zA-Z0-9_-]{1,128}$/.test(name)))
      return refuse(response, 400, 'A namespace or key has other characters than letters, digits, _ and -.');
    const all = machine.guestAttributes;
    const there = (Object.hasOwn(all, namespace) ? all[namespace] : undefined) ?? {};
    if (request.method === 'PUT') {
      const value = await buffer(request);
      if (value.length > longestGuestValue)
        return refuse(response, 400, `The value has more than ${longestGuestValue} bytes.`);
      all[namespace] = { ...there, [key]: value.toString() };
    } else if (request.method === 'DELETE') {
      if (!Object.hasOwn(there, key)) return refuse(response, 404, `${namespace}/${key} is not there.`);
      const { [key]: _, ...others } = there;
      if (Object.keys(others).length > 0) all[namespace] = others;
      else delete all[namespace];
    } else {
      return refuse(response, 405, 'A guest attribute is written with PUT and removed with DELETE.');
    }
    send(response, 200, '');
    guestWrote();
    changed();
  };

  const server = createServer((request, response) => {
    response.setHeader('Metadata-Flavor', 'Google');
    response.setHeader('Server', 'Metadata Server for VM');
    answer(request, response).catch((error: unknown) => {
      if (error instanceof URIError) return refuse(response, 400, 'The address is not well-formed.');
      console.error(`metadata server of ${machine.name}: ${request.method} ${request.url}:`, error);
      refuse(response, 500, 'The local metadata server failed; its terminal says why.');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });

  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    changed,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** https://cloud.google.com/compute/docs/instances/verifying-instance-identity#request_signature */
const isIdentity = (path: string[], { serviceAccount }: MachineMetadata) =>
  ['default', serviceAccount?.email].some(
    (account) => path.join('/') === `instance/service-accounts/${account}/identity`,
  );

const isTrue = (flag: string | null) => flag?.toLowerCase() === 'true';

async function show(response: ServerResponse, node: Value | Folder, path: string[], query: URLSearchParams) {
  const alt = query.get('alt') ?? (isTrue(query.get('recursive')) ? 'json' : 'text');
  if (typeof node === 'function') return sendJson(response, await node());
  if (isFolder(node)) {
    if (!isTrue(query.get('recursive'))) return send(response, 200, listing(node));
    if (alt === 'text') return send(response, 200, recursiveText(node));
    return sendJson(response, recursiveJson(node, path.some(areOwn)));
  }
  if (alt === 'json') return sendJson(response, node);
  send(response, 200, asText(node));
}

function send(response: ServerResponse, status: number, body: string, type = 'application/text'): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

const sendJson = (response: ServerResponse, value: unknown) =>
  send(response, 200, toJson(value), 'application/json');

const refuse = (response: ServerResponse, status: number, why: string) =>
  send(response, status, `<!DOCTYPE html>\n<title>Error ${status}</title>\n<p>${why}\n`, 'text/html');
