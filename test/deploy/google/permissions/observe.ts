import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { join } from 'node:path';

/*
 * Loaded before a process of functions (`node --import`): writes down which function sent which request, in a file for each
 * process below the folder OBSERVED. A process serves one function (`--target=file-sync`) or several (`/file-sync/…`).
 */
const folder = process.env.OBSERVED;
const target = process.argv.find((argument) => argument.startsWith('--target='))?.slice('--target='.length);

if (folder && process.env.PORT) {
  const file = join(folder, `${process.pid}.ndjson`);
  const serving = new AsyncLocalStorage<string>();
  const note = (method: string, url: string) => {
    const name = target ?? serving.getStore();
    if (name) appendFileSync(file, `${JSON.stringify({ function: name, method, url })}\n`);
  };
  subscribe('http.server.request.start', (message) => {
    const { request } = message as { request: IncomingMessage };
    serving.enterWith(/^\/([^/?]*)/.exec(request.url ?? '')?.[1] ?? '');
  });
  subscribe('http.client.request.start', (message) => {
    const { method, path, host } = (message as { request: ClientRequest }).request;
    note(method, `http://${host}${path}`);
  });
  subscribe('undici:request:create', (message) => {
    const { method, path, origin } = (
      message as { request: { method: string; path: string; origin: string } }
    ).request;
    note(method, `${origin}${path}`);
  });
}
