import * as z from 'zod';

/** One price of the catalogue. https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list */
export const Sku = z.object({
  description: z.string(),
  category: z.object({ resourceFamily: z.string(), usageType: z.string() }),
  serviceRegions: z.array(z.string()),
  pricingInfo: z.array(
    z.object({
      pricingExpression: z.object({
        usageUnit: z.string(),
        tieredRates: z.array(
          z.object({
            unitPrice: z.object({
              currencyCode: z.string().optional(),
              units: z.string().optional(),
              nanos: z.number().optional(),
            }),
          }),
        ),
      }),
    }),
  ),
});
export type Sku = z.infer<typeof Sku>;

/** Dollars for one `usageUnit`; undefined if there is none, since a first tier may be free and others may be too. */
export function unitPriceOf(sku: Sku, usageUnit: string): number | undefined {
  const expression = sku.pricingInfo[0]?.pricingExpression;
  if (expression?.usageUnit !== usageUnit) return undefined;
  for (const { unitPrice } of expression.tieredRates) {
    if (unitPrice.currencyCode && unitPrice.currencyCode !== 'USD') return undefined;
    const price = Number(unitPrice.units ?? 0) + (unitPrice.nanos ?? 0) / 1e9;
    if (price > 0) return price;
  }
  return undefined;
}

/** Prices under other terms than ours. The API shows some of them as `OnDemand`. */
const otherTerms =
  /\b(Custom|Reserved|Sole Tenancy|Premium|Commitment|Committed|Extended|DWS|Calendar|Flex|Reservation|Cross-region|Suspended|Upgrade|Trial)\b/i;

/**
 * How a SKU is paid. Spot VMs are `Preemptible`; preemptible TPUs are `OnDemand`, and say it in the text.
 * @returns undefined if it is neither
 */
export function modelOf({ description, category }: Sku): 'spot' | 'standard' | undefined {
  if (otherTerms.test(description)) return undefined;
  if (category.usageType === 'Preemptible') return 'spot';
  if (category.usageType !== 'OnDemand') return undefined;
  return /\b(Spot|Preemptible)\b/i.test(description) ? 'spot' : 'standard';
}
