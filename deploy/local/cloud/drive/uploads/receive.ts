import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Request } from 'express';
import { GoogleError } from '../../googleError.ts';
import { type Content, readContent } from '../files/content.ts';
import { type Drive, text } from '../request.ts';
import { collect, readParts } from './multipart.ts';

const longestMetadata = 1024 * 1024;

/** What a request to create or update a file brings: its metadata as JSON, and bytes if it is an upload. */
export async function receive(drive: Drive, request: Request): Promise<{ body: unknown; content?: Content }> {
  if (!request.path.startsWith('/upload/')) return { body: request.body };
  const contentType = request.get('Content-Type');
  switch (text(request, 'uploadType')) {
    case 'media':
      return { body: {}, content: await keep(drive, request, contentType) };
    case 'multipart':
      return receiveMultipart(drive, request, contentType ?? '');
    default:
      throw new GoogleError(400, 'badRequest', 'uploadType must be media, multipart or resumable');
  }
}

async function receiveMultipart(drive: Drive, request: Request, contentType: string) {
  const [, quoted, plain] = /^multipart\/[\w-]+;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const parts = readParts(request, quoted ?? plain ?? '');
  if (!(quoted ?? plain)) throw new GoogleError(400, 'badRequest', 'Missing multipart boundary');
  const metadata = await parts.next();
  if (metadata.done) throw new GoogleError(400, 'badRequest', 'Missing metadata part');
  const body = parseJson((await collect(metadata.value.body, longestMetadata)).toString());
  const media = await parts.next();
  if (media.done) throw new GoogleError(400, 'badRequest', 'Missing media part');
  const content = await keep(drive, media.value.body, media.value.contentType);
  if (!(await parts.next()).done) {
    await rm(content.path, { force: true });
    throw new GoogleError(400, 'badRequest', 'Expected two parts');
  }
  return { body, content };
}

/** @throws 400 `parseError` */
export function parseJson(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json || '{}');
    if (typeof value === 'object') return value;
  } catch {
    // answered below
  }
  throw new GoogleError(400, 'parseError', 'Parse Error: the metadata is no JSON object');
}

async function keep(
  drive: Drive,
  bytes: AsyncIterable<Buffer>,
  mimeType: string | undefined,
): Promise<Content> {
  const path = drive.context.store.newBlob('drive');
  try {
    await pipeline(bytes, createWriteStream(path));
    return await readContent(path, mimeType);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
