import type { Period } from './period.ts';

/** What Google has counted for a budget, up to a day late. https://cloud.google.com/billing/docs/how-to/budgets */
export type Billed = {
  kind: 'billed';
  budgetId: string;
  name: string;
  period: Period;
  /** After credits, so that it may fall, and be less than nothing. */
  cost: number;
  /** Of the budget. */
  amount: number;
  currency: string;
  /** The share of the budget that Google expects to be passed by the end of the period. */
  forecast?: number;
};

/** What we reckon has been spent, by what ran and list prices. */
export type Estimated = {
  kind: 'estimated';
  period: Period;
  cost: number;
  currency: string;
  perHour?: number;
  /** What it comes to by the end of the period if it goes on like this. */
  forecastCost?: number;
  /** What comes to it by then whatever is stopped, as of disks. */
  boundCost?: number;
  asOf: string;
};

export type Figure = Billed | Estimated;

/** Costs beyond are mistakes, and their quotients would not be numbers. */
export const largest = 1e12;
export const smallestBudget = 0.01;
