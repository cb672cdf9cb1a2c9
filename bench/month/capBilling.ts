import type { Policy } from './policy.ts';
import type { World } from './world.ts';

/**
 * Google's sample for capping costs, in a few lines: it goes by the amounts of the message alone, and takes the project from
 * its billing account, which ends all that runs.
 * https://github.com/GoogleCloudPlatform/nodejs-docs-samples/blob/main/functions/billing/index.js
 *
 * @param isMeant what it is meant to ask for. What it does ask for is nothing: it puts the name of the account into a field
 * that the client does not know and drops, and an update without a name changes nothing.
 */
export function capBilling(world: World, isMeant: boolean): Policy {
  let billingEnabled = true;
  const updateBillingInfo = ({ billingAccountName }: { billingAccountName?: string }) => {
    if (billingAccountName !== '') return;
    billingEnabled = false;
    for (const machine of world.machines()) world.stop(machine, 'budget');
  };
  return {
    async tick() {},
    async hear({ data }) {
      const { costAmount, budgetAmount } = JSON.parse(data) as { costAmount: number; budgetAmount: number };
      if (costAmount <= budgetAmount || !billingEnabled) return;
      updateBillingInfo(isMeant ? { billingAccountName: '' } : {});
    },
  };
}
