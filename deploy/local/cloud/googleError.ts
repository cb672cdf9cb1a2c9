import type { ErrorRequestHandler } from 'express';

const statusNames: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  412: 'FAILED_PRECONDITION',
  416: 'OUT_OF_RANGE',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/**
 * A refusal as Google's JSON APIs word it. `reason` is the machine-readable word of the API in question, for
 * example `conditionNotMet` or `userRateLimitExceeded`.
 * https://cloud.google.com/storage/docs/json_api/v1/status-codes
 */
export class GoogleError extends Error {
  override name = 'GoogleError';
  readonly code: number;
  readonly reason: string;
  /** Where the fault is, for example `{ locationType: 'parameter', location: 'pageToken' }`. */
  readonly location: { locationType?: string; location?: string };
  /** Sent with the answer, for example `Retry-After`. */
  readonly headers: Record<string, string>;

  constructor(
    code: number,
    reason: string,
    message: string,
    {
      headers = {},
      ...location
    }: { locationType?: string; location?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.location = location;
    this.headers = headers;
  }

  toJSON(): object {
    const { code, message, reason, location } = this;
    const status = statusNames[code] ?? 'UNKNOWN';
    return { error: { code, message, status, errors: [{ message, domain: 'global', reason, ...location }] } };
  }
}

/** Turns whatever a service threw into Google's error shape. What is none of them is printed: it is our bug. */
export const answerErrors: ErrorRequestHandler = (thrown, request, response, _next) => {
  const error = asGoogleError(thrown);
  if (thrown !== error && error.code === 500)
    console.error(`local cloud: ${request.method} ${request.path}:`, thrown);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.status(error.code).set(error.headers).json(error);
};

function asGoogleError(thrown: unknown): GoogleError {
  if (thrown instanceof GoogleError) return thrown;
  // body-parser and Express put a status on what they refuse: bad JSON, a body over the limit, a bad % escape.
  const { status, message } = thrown as { status?: number; message?: string };
  if (status && status < 500) return new GoogleError(status, 'badRequest', message ?? 'Bad request');
  return new GoogleError(500, 'backendError', 'The local cloud failed; its terminal says why.');
}
