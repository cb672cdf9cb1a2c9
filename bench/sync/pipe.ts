import { once } from 'node:events';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';

/*
 * The bare pipe: one process copies a folder from Drive to a bucket with plain requests, nothing checked, nothing kept,
 * nothing tried again. Usage: pipe.ts JSON, of the `Task` below. It prints the milliseconds from its first request to its
 * last answer: starting Node is not counted.
 *
 * `node:http`, not `fetch`: a body of `fetch` that is handed on to another `fetch` is kept whole in memory.
 */
export type Task = {
  /** Where Drive is reached: the local cloud, or the proxy before it. */
  drive: string;
  storage: string;
  folder: string;
  bucket: string;
};
const { drive, storage, folder, bucket } = JSON.parse(process.argv[2] ?? '') as Task;

/** As many as Pub/Sub pushes at a time would be; more is no faster. */
const limit = pLimit(64);
/** Above this, a resumable session. https://cloud.google.com/storage/docs/uploads-downloads#size */
const large = 8_000_000;

const agents = {
  'http:': new http.Agent({ keepAlive: true }),
  'https:': new https.Agent({ keepAlive: true }),
};
function begin(url: string, options: RequestOptions = {}) {
  const protocol = new URL(url).protocol as keyof typeof agents;
  const request = (protocol === 'https:' ? https : http).request(url, {
    agent: agents[protocol],
    ...options,
  });
  const answer = (once(request, 'response') as Promise<[IncomingMessage]>).then(async ([response]) => {
    if (response.statusCode === 200) return response;
    throw new Error(`${options.method ?? 'GET'} ${url}: ${response.statusCode} ${await text(response)}`);
  });
  return { request, answer };
}

async function ask(url: string, options?: RequestOptions, body?: string): Promise<IncomingMessage> {
  const { request, answer } = begin(url, options);
  request.end(body);
  return answer;
}

type Listed = { files: { id: string; name: string; size: string }[]; nextPageToken?: string };

async function* listed(): AsyncGenerator<Listed['files'][number]> {
  for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
    const query = new URLSearchParams({
      q: `'${folder}' in parents`,
      pageSize: '1000',
      fields: 'nextPageToken,files(id,name,size)',
      ...(pageToken ? { pageToken } : {}),
    });
    const page: Listed = JSON.parse(await text(await ask(`${drive}/drive/v3/files?${query}`)));
    yield* page.files;
    pageToken = page.nextPageToken;
  }
}

async function copy({ id, name, size }: Listed['files'][number]): Promise<void> {
  const query = new URLSearchParams({ uploadType: Number(size) > large ? 'resumable' : 'media', name });
  const uploads = `${storage}/upload/storage/v1/b/${bucket}/o?${query}`;
  const headers = { 'content-type': 'application/octet-stream', 'content-length': size };
  let upload: ReturnType<typeof begin>;
  if (Number(size) > large) {
    const session = await ask(
      uploads,
      { method: 'POST', headers: { 'content-type': 'application/json' } },
      '{}',
    );
    session.resume();
    upload = begin(String(session.headers.location), { method: 'PUT', headers });
  } else upload = begin(uploads, { method: 'POST', headers });
  const download = await ask(`${drive}/drive/v3/files/${id}?alt=media`);
  await Promise.all([
    pipeline(download, upload.request),
    upload.answer.then((response) => response.resume() && once(response, 'end')),
  ]);
}

const start = performance.now();
const copies: Promise<void>[] = [];
for await (const file of listed()) copies.push(limit(copy, file));
await Promise.all(copies);
console.log(performance.now() - start);
process.exit();
