/**
 * US dollars by list price of what a lab uses beside machines, of the cheapest regions; `free` is what each billing account
 * has of it in a month for nothing. Read on the pages named, whose copies were of 2025 and 2026: prices change, and Google's
 * own calculator has the last word (https://cloud.google.com/products/calculator).
 */
export const prices = {
  // https://cloud.google.com/run/pricing
  cpuSecond: { price: 0.000024, free: 180_000 },
  memoryGibSecond: { price: 0.0000025, free: 360_000 },
  request: { price: 0.4 / 1e6, free: 2_000_000 },
  // https://cloud.google.com/pubsub/pricing: at least 1 kB for each message published or delivered
  message: { price: (2 * 1000 * 40) / 2 ** 40, free: (10 * 2 ** 30) / 2000 },
  // https://cloud.google.com/scheduler/pricing
  clock: { price: 0.1, free: 3 },
  // https://cloud.google.com/storage/pricing
  gigabyteMonth: { price: 0.02, free: 0 },
  write: { price: 0.005 / 1000, free: 0 },
  read: { price: 0.0004 / 1000, free: 0 },
  // https://cloud.google.com/vision/pricing: text, and objects; faces; colours
  imageObjects: { price: 2.25 / 1000, free: 1000 },
  imageFeature: { price: 1.5 / 1000, free: 1000 },
  // https://cloud.google.com/natural-language/pricing, for each 1,000 characters: syntax; entities; sentiment
  textSyntax: { price: 0.5 / 1000, free: 5000 },
  textEntities: { price: 1 / 1000, free: 5000 },
  textSentiment: { price: 1 / 1000, free: 5000 },
} satisfies Record<string, { price: number; free: number }>;

export type Used = Partial<Record<keyof typeof prices, number>>;

/** Of a month. `beyondFree`: what is left to pay if nothing else uses up what is free. */
export function costOf(used: Used): { list: number; beyondFree: number } {
  let list = 0;
  let beyondFree = 0;
  for (const [name, amount] of Object.entries(used)) {
    const { price, free } = prices[name as keyof typeof prices];
    list += amount * price;
    beyondFree += Math.max(0, amount - free) * price;
  }
  return { list, beyondFree };
}
