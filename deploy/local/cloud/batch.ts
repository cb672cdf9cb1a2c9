import { randomUUID } from 'node:crypto';
import type { Router } from 'express';
import express from 'express';
import { GoogleError } from './googleError.ts';
import type { Context } from './service.ts';
import { boundaryOf, readParts, readSmall } from './storage/multipart.ts';

/**
 * Up to 100 calls in one request, as the Python library makes them, or 1000 of `gcloud compute`; each is sent on as a
 * request of its own.
 * https://cloud.google.com/storage/docs/batch
 * https://cloud.google.com/compute/docs/api/how-tos/batch
 */
export function batchRoutes({ origin }: Context, service: keyof typeof services): Router {
  const { limit } = services[service];
  return express.Router().post(`/batch/${service}/v1`, async (request, response) => {
    response.locals.detail = { op: 'batch' };
    const calls: { id: string; call: string }[] = [];
    for await (const { headers, body } of readParts(request, boundaryOf(request.get('content-type')))) {
      const call = (await readSmall(body, 1e6)).toString();
      calls.push({ id: headers.get('content-id') ?? '', call });
      if (calls.length > limit)
        throw new GoogleError(400, 'badRequest', `A batch has at most ${limit} calls.`);
    }
    const boundary = `batch_${randomUUID()}`;
    let answer = '';
    for (const { id, call } of calls) {
      const inner = await send(call, service, origin(), request.get('authorization'));
      const contentId = id.replace(/^<|>$/g, '').replace(/[\r\n]/g, '');
      answer += `--${boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-${contentId}>\r\n\r\n${inner}\r\n`;
    }
    response.setHeader('Content-Type', `multipart/mixed; boundary=${boundary}`);
    response.end(`${answer}--${boundary}--\r\n`);
  });
}

const services = {
  storage: { title: 'Cloud Storage', limit: 100 },
  compute: { title: 'Compute Engine', limit: 1000 },
};

/** Sends one call, written out as HTTP/1.1, and writes its answer out in the same way. */
async function send(
  call: string,
  service: keyof typeof services,
  origin: string,
  authorization: string | undefined,
): Promise<string> {
  const [head = '', ...bodies] = call.replaceAll('\r\n', '\n').trimStart().split('\n\n');
  const body = bodies.join('\n\n').trim();
  const [first = '', ...lines] = head.split('\n');
  const [, method, path, owner] = /^([A-Z]+) (?:https?:\/\/[^/\s]+)?(\/(\w+)\/v1\/\S*)/.exec(first) ?? [];
  if (!method || !path || owner !== service) {
    throw new GoogleError(400, 'badRequest', `A part of the batch is no call of ${services[service].title}.`);
  }
  const headers = new Headers(authorization === undefined ? {} : { authorization });
  for (const line of lines) {
    const [, name = '', value = ''] = /^([\w-]+):\s*(.*)$/.exec(line) ?? [];
    if (/^(?:content-type|authorization|if-.+|x-goog-.+)$/i.test(name)) headers.set(name, value);
  }
  const sends = body !== '' && !/^(?:GET|HEAD)$/.test(method);
  const answer = await fetch(new URL(path, origin), { method, headers, ...(sends ? { body } : {}) });
  const text = await answer.text();
  return [
    `HTTP/1.1 ${answer.status} ${answer.statusText}`,
    `Content-Type: ${answer.headers.get('content-type') ?? 'text/plain'}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    '',
    text,
  ].join('\r\n');
}
