import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { countRequest } from './metered.ts';
import type { Pace, PaceOptions } from './pace.ts';
import { unitsOf } from './quotaUnits.ts';
import { refusalOf } from './refusal.ts';

type Options = Required<Pick<drive_v3.Options, 'adapter' | 'retryConfig'>>;
type RequestError = Parameters<NonNullable<Options['retryConfig']['shouldRetry']>>[0];

/** Methods that may be done twice. Of the others it is not known, after a 503 or a broken connection, whether they were. */
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** After 1, 2, 4 … 32, 32, 32 s at most, which with their jitter are a minute on average. */
const mostRetries = 8;

/**
 * Options for a Drive client, whose requests then keep to the pace and are tried again as Google asks for:
 * exponential back-off with full jitter, up to 32 times the first, for as long as `patience`
 * (https://developers.google.com/workspace/drive/api/guides/limits#exponential).
 *
 * By the client's `adapter`, which is asked at each attempt; its interceptors see only the first.
 */
export function pacedRequests(
  pace: Pace,
  {
    patience,
    backOff: first,
    now,
    wait,
    random,
  }: Pick<PaceOptions, 'patience' | 'backOff' | 'now' | 'wait' | 'random'>,
): Options {
  const pauses = new WeakMap<RequestError, number>();

  /** Milliseconds until the next attempt; undefined if there should be none. */
  const pauseAfter = (error: RequestError): number | undefined => {
    const { method = 'GET', url, body, signal, retryConfig } = error.config;
    const attempt = retryConfig?.currentRetryAttempt ?? 0;
    const backOff = random() * Math.min(2 ** attempt, 32) * first;
    const pause = retryAfterOf(error.response?.headers, now()) + backOff;
    const mayRepeat = attempt < mostRetries && !signal?.aborted && !isStream(body);

    const refusal = refusalOf(error);
    if (refusal) {
      if (refusal.kind !== 'slow-down' || !error.response) return undefined;
      // Also if this one gives up: the others are too fast all the same.
      pace.holdUntil(now() + pause);
      return mayRepeat ? pause : undefined;
    }
    const status = error.response?.status;
    if (status !== undefined && status !== 408 && status < 500) return undefined;
    if (!mayRepeat || !repeatable.has(method.toUpperCase())) return undefined;
    // An export that is too large has been seen to answer 500, each time:
    // https://github.com/googleapis/google-api-ruby-client/issues/664
    if (status !== undefined && attempt > 0 && url && String(url).includes('/export')) return undefined;
    return pause;
  };

  return {
    async adapter(options, send) {
      const units = unitsOf(options.method ?? 'GET', options.url);
      await pace.take(units);
      countRequest(units);
      return send(options);
    },
    retryConfig: {
      shouldRetry(error) {
        const pause = pauseAfter(error);
        if (pause === undefined) return false;
        pauses.set(error, pause);
        const { retryConfig = {} } = error.config;
        // The library has put its own clock's time here. It hands the field on to the next attempt.
        if (!retryConfig.currentRetryAttempt) retryConfig.timeOfFirstRequest = now();
        return now() + pause - (retryConfig.timeOfFirstRequest ?? 0) <= patience;
      },
      retryBackoff: (error) => wait(pauses.get(error) ?? 0),
    },
  };
}

/**
 * The same for what is asked for beside the API with the client's credentials, like an export link:
 * `auth.request({ url, ...paced(drive) })`.
 */
export function paced({ context }: drive_v3.Drive): Partial<Options> {
  const { adapter, retryConfig } = context._options;
  return { ...(adapter ? { adapter } : {}), ...(retryConfig ? { retryConfig } : {}) };
}

const isStream = (body: unknown) => typeof (body as { pipe?: unknown } | undefined)?.pipe === 'function';

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterOf(headers: Headers | undefined, now: number): number {
  const value = headers?.get('retry-after')?.trim();
  if (!value) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Math.max(ms || 0, 0);
}
