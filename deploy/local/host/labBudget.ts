import { accountId, accountName } from '../cloud/billing/account.ts';
import type { Cloud } from '../cloud/cloud.ts';

/** Dollars a month. Nothing is really paid here, and what it would be is held against this. */
const amount = 200;

/**
 * The budget of a lab on one computer, made at the first start: what it would cost at Google is seen, and the guard acts as
 * it would there.
 * @returns what functions are told of it
 */
export async function labBudget({ origin, project }: Cloud): Promise<Record<string, string>> {
  const url = `${origin}/v1/${accountName}/budgets`;
  const { budgets = [] } = (await answer(await fetch(url))) as { budgets?: { name: string }[] };
  const [budget] = budgets.length > 0 ? budgets : [await make(url, project)];
  return {
    GAZELINE_BUDGETS: budget?.name.split('/').at(-1) ?? '',
    GAZELINE_BILLING_ACCOUNT: accountId,
    GAZELINE_BUDGET_AMOUNT: String(amount),
  };
}

async function make(url: string, project: string): Promise<{ name: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      displayName: 'The lab',
      amount: { specifiedAmount: { currencyCode: 'USD', units: String(amount) } },
      thresholdRules: [{ thresholdPercent: 0.5 }, { thresholdPercent: 1 }],
      notificationsRule: { pubsubTopic: `projects/${project}/topics/budget-notified`, schemaVersion: '1.0' },
    }),
  });
  return (await answer(response)) as { name: string };
}

async function answer(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`Billing answers ${response.status}: ${await response.text()}`);
  return response.json();
}
