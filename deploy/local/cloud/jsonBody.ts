import type { ErrorRequestHandler, RequestHandler } from 'express';
import express from 'express';
import { GoogleError } from './googleError.ts';

/** Reads a JSON body of at most `limit` bytes, whatever its content type; one that is longer is refused with a 400. */
export function jsonBody(limit: number): (RequestHandler | ErrorRequestHandler)[] {
  const tooLong: ErrorRequestHandler = (error: { type?: string }, _request, _response, next) => {
    const message = `Request payload size exceeds the limit: ${limit} bytes.`;
    next(error.type === 'entity.too.large' ? new GoogleError(400, 'badRequest', message) : error);
  };
  // Go's client sends `null` where there is nothing to say, and so does rclone with every copy; Node's clients send `""`.
  const object: RequestHandler = (request, _response, next) => {
    if (request.body === null || request.body === '') request.body = {};
    if (['object', 'undefined'].includes(typeof request.body)) next();
    else next(new GoogleError(400, 'parseError', 'Invalid JSON payload received. Expected an object.'));
  };
  return [express.json({ limit, type: () => true, strict: false }), object, tooLong];
}
