import { periodAt } from '../../../../shared/budget/period.ts';
import type { SeenRequest } from '../requests.ts';

/** Of what was asked of Vision or Natural Language; only what was answered costs something. */
export type Units = { service: 'vision' | 'language'; feature: string; count: number };

/** US dollars of a unit: of most features, and of those with a price of their own. */
const prices: { [service in Units['service']]: { most: number; others: { [feature: string]: number } } } = {
  // https://cloud.google.com/vision/pricing
  vision: { most: 0.0015, others: { OBJECT_LOCALIZATION: 0.00225, WEB_DETECTION: 0.0035 } },
  // https://cloud.google.com/natural-language/pricing
  language: { most: 0.001, others: { syntax: 0.0005, entitySentiment: 0.002 } },
};
/** Of each feature in a month. */
const free = { vision: 1000, language: 5000 };
/** A text has one unit for each beginning 1,000 characters. */
const unit = 1000;

type Detail = {
  features?: { [feature: string]: number | boolean };
  characters?: number;
};

export function unitsOf({ service, status, detail }: SeenRequest): Units[] {
  if (status !== 200 || (service !== 'vision' && service !== 'language')) return [];
  const { features = {}, characters = 0 } = (detail ?? {}) as Detail;
  const ofText = Math.max(1, Math.ceil(characters / unit));
  return Object.entries(features).flatMap(([feature, asked]) => {
    const count = typeof asked === 'number' ? asked : asked ? ofText : 0;
    return count > 0 ? [{ service, feature, count }] : [];
  });
}

/** @param before that were used in this month already */
export function costOfUnits({ service, feature, count }: Units, before: number): number {
  const paid = Math.max(0, before + count - free[service]) - Math.max(0, before - free[service]);
  const { most, others } = prices[service];
  return paid * (others[feature] ?? most);
}

/** By which units are counted. */
export const monthOf = (at: number): string => periodAt(at, 'month').start;
