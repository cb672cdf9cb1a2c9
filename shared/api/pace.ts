import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { Refused } from './refused.ts';

/** @throws Refused 429 for who asks too often */
export type Pace = (email: string) => Promise<void>;

/** So many requests a minute for each caller, at this instance: with several, it is as many times more. */
export function paceOf(requestsPerMinute: number): Pace {
  const limiter = new RateLimiterMemory({ points: requestsPerMinute, duration: 60 });
  return async (email) => {
    try {
      await limiter.consume(email);
    } catch (error) {
      if (error instanceof Error) throw error;
      const seconds = Math.max(1, Math.ceil((error as RateLimiterRes).msBeforeNext / 1000));
      throw new Refused(429, `More than ${requestsPerMinute} requests in a minute; go on in ${seconds} s.`, {
        headers: { 'retry-after': String(seconds) },
      });
    }
  };
}
