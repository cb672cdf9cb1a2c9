import type { Fault, Faults } from '../faults.ts';
import { GoogleError } from '../googleError.ts';

/** What an operation costs. https://developers.google.com/workspace/drive/api/guides/limits */
export function unitsOf(op: string): number {
  if (op === 'scan') return 0;
  if (/^(files\.download|files\.export|exportLink)$/.test(op)) return 200;
  if (op.endsWith('.list')) return 100;
  return /\.(get|getStartPageToken|generateIds)$/.test(op) ? 5 : 50;
}

export type Quota = {
  /** @throws 403 or 429 while a fault limits the units of a minute and these are too many */
  spend(units: number): void;
};

const minute = 60_000;

export function createQuota(faults: Faults): Quota {
  /** What was used under each limit. */
  const uses = new WeakMap<Fault, { at: number; units: number }[]>();
  return {
    spend(units) {
      const limit = faults.find('drive', 'quota');
      if (!limit) return;
      const now = Date.now();
      const used = (uses.get(limit) ?? []).filter(({ at }) => at > now - minute);
      uses.set(limit, used);
      let over = used.reduce((sum, { units }) => sum + units, units) - limit.unitsPerMinute;
      if (over <= 0) return void used.push({ at: now, units });
      const enough = used.find(({ units }) => {
        over -= units;
        return over <= 0;
      });
      throw refusal(limit, Math.ceil(((enough?.at ?? now) + minute - now) / 1000));
    },
  };
}

function refusal({ status, retryAfter }: Fault, seconds: number): GoogleError {
  if (status !== 429 && retryAfter === undefined) {
    return new GoogleError(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded');
  }
  const headers = { 'Retry-After': String(retryAfter ?? seconds) };
  return new GoogleError(429, 'rateLimitExceeded', 'Rate Limit Exceeded', { headers });
}
