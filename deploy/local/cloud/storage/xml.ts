import type { KeyObject } from 'node:crypto';
import type { ErrorRequestHandler, Request, RequestHandler, Response, Router } from 'express';
import express from 'express';
import { GoogleError } from '../googleError.ts';
import { hashesInHeaders } from './hashes.ts';
import { type Insert, refuseEarly, store } from './insert.ts';
import { sendMedia } from './media.ts';
import { changeMetadata } from './metadata.ts';
import { checkObjectName } from './names.ts';
import type { Parts } from './parts.ts';
import { type Preconditions, requireMet } from './preconditions.ts';
import { integer, text } from './query.ts';
import { sessionUri } from './sessions.ts';
import { verifySignedUrl } from './signedUrl.ts';

/**
 * `/BUCKET/OBJECT`, as browsers and signed URLs address an object: the part of the XML API that has no XML in it.
 * https://cloud.google.com/storage/docs/xml-api/reference-methods
 */
export function xmlRoutes(parts: Parts, signer: { publicKey: KeyObject; email: string }): Router {
  const { context, generations, sessions } = parts;

  const handle = async (request: Request, response: Response) => {
    const [, bucket = '', encoded = ''] = /^\/([^/]+)\/(.+)$/.exec(request.path) ?? [];
    const name = checkObjectName(decode(encoded));
    response.locals.detail = { op: `xml.${request.method.toLowerCase()}`, object: name };
    if (Object.keys(request.query).some((key) => /^x-goog-(?:algorithm|signature)$/i.test(key))) {
      verifySignedUrl(request, signer);
    }
    const unsupported = ['uploads', 'uploadId', 'acl', 'tagging', 'compose'].find(
      (key) => key in request.query,
    );
    if (unsupported || request.get('x-goog-copy-source')) {
      throw new GoogleError(501, 'NotImplemented', 'The local cloud has only a part of the XML API.');
    }
    switch (request.method) {
      case 'GET':
      case 'HEAD': {
        const object = generations.need(bucket, name, integer(request, 'generation'));
        requireMet(conditionsOf(request), object);
        const contentType = text(request, 'response-content-type');
        const contentDisposition = text(request, 'response-content-disposition');
        const overrides = changeMetadata(object.metadata, { contentType, contentDisposition });
        await sendMedia(request, response, { ...object, metadata: overrides }, generations.path(object));
        return;
      }
      case 'PUT': {
        const object = await store(parts, insertOf(request, bucket, name), request);
        const md5 = Buffer.from(object.md5 ?? '', 'base64').toString('hex');
        response.set({
          ETag: `"${md5}"`,
          'X-Goog-Generation': String(object.generation),
          'X-Goog-Metageneration': '1',
          'X-Goog-Hash': `crc32c=${object.crc32c},md5=${object.md5}`,
        });
        return void response.end();
      }
      case 'POST': {
        if (request.get('x-goog-resumable') !== 'start') {
          throw new GoogleError(400, 'InvalidArgument', 'Expected the header x-goog-resumable: start');
        }
        const insert = insertOf(request, bucket, name);
        refuseEarly(parts, insert);
        const session = sessions.start(insert, undefined);
        return void response.status(201).location(sessionUri(session, context.origin())).end();
      }
      case 'DELETE': {
        const generation = integer(request, 'generation');
        generations.change(() => {
          const object = generations.need(bucket, name, generation);
          requireMet(conditionsOf(request), object);
          generations.remove(object, generation !== undefined);
        });
        return void response.status(204).end();
      }
      default:
        throw new GoogleError(405, 'MethodNotAllowed', 'The specified method is not allowed here.');
    }
  };

  const only: RequestHandler = (request, response, next) =>
    /^\/(?:storage|upload|download|resumable|batch)\//.test(request.path)
      ? next('router')
      : handle(request, response).catch(next);
  return express.Router().use(only).use(answerXmlErrors);
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new GoogleError(400, 'InvalidURI', 'Could not parse the specified URI.');
  }
}

function insertOf(request: Request, bucket: string, name: string): Insert {
  const header = (key: string) => request.get(key);
  const custom = Object.entries(request.headers).flatMap(([key, value]) =>
    key.startsWith('x-goog-meta-') ? [[key.slice('x-goog-meta-'.length), String(value)]] : [],
  );
  const metadata = changeMetadata(
    { contentType: header('content-type') || 'application/octet-stream' },
    {
      cacheControl: header('cache-control'),
      contentDisposition: header('content-disposition'),
      contentEncoding: header('content-encoding'),
      contentLanguage: header('content-language'),
      storageClass: header('x-goog-storage-class'),
      metadata: Object.fromEntries(custom),
    },
  );
  return { bucket, name, metadata, conditions: conditionsOf(request), expected: hashesInHeaders(request) };
}

function conditionsOf(request: Request): Preconditions {
  const read = (key: keyof Preconditions, header: string) => {
    const value = request.get(header);
    return value !== undefined && /^\d{1,19}$/.test(value) ? { [key]: Number(value) } : {};
  };
  return {
    ...read('generationMatch', 'x-goog-if-generation-match'),
    ...read('metagenerationMatch', 'x-goog-if-metageneration-match'),
  };
}

const codes: Record<number, string> = {
  400: 'InvalidArgument',
  404: 'NoSuchKey',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
};

/** https://cloud.google.com/storage/docs/xml-api/reference-status */
const answerXmlErrors: ErrorRequestHandler = (error, _request, response, next) => {
  if (!(error instanceof GoogleError) || response.headersSent) return next(error);
  // JSON's reasons begin with a small letter, XML's codes with a capital.
  const code = /^[A-Z]/.test(error.reason) ? error.reason : (codes[error.code] ?? 'InternalError');
  const message = error.message.replace(/[<>&]/g, (char) => `&#${char.charCodeAt(0)};`);
  response.status(error.code).set(error.headers).type('application/xml');
  response.send(
    `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
};
