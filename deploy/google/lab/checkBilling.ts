import { memberOf } from './account.ts';
import { gcloudJson } from './gcloud.ts';
import { missingPermissions } from './permissions.ts';
import { Failed } from './program.ts';
import { Stop } from './stop.ts';

export type Billing = {
  /** `012345-567890-ABCDEF` */
  account: string;
  currency: string;
  /** Why no budget can be made, and what would help; undefined if one can. */
  withoutBudget: string | undefined;
};

/** @throws Stop if the project is not paid for by anybody */
export async function checkBilling(project: string, person: string): Promise<Billing> {
  const info = (await gcloudJson('billing', 'projects', 'describe', project)) as {
    billingEnabled?: boolean;
    billingAccountName?: string;
  };
  const account = number(info.billingAccountName ?? '');
  if (!info.billingEnabled || !account) throw new Stop(await unpaidWords(project));
  const missing = await missingPermissions({ billingAccount: account }, ['billing.budgets.create']);
  return {
    account,
    currency: await currencyOf(account),
    withoutBudget: missing.length === 0 ? undefined : budgetWords(account, person),
  };
}

async function unpaidWords(project: string): Promise<string> {
  const accounts = ((await gcloudJson('billing', 'accounts', 'list', '--filter=open=true').catch(() => [])) ??
    []) as { name: string; displayName?: string }[];
  const [first] = accounts;
  return [
    `The project ${project} has no billing account: Google Cloud does nothing in it.`,
    ...(first
      ? [
          'You can see these accounts:',
          ...accounts.map(({ name, displayName }) => `  ${number(name)}  ${displayName ?? ''}`),
          'To let one of them pay:',
          `  gcloud billing projects link ${project} --billing-account=${number(first.name)}`,
        ]
      : [
          'You can see none. Whoever pays for cloud services where you work has to run, with the account’s number:',
          `  gcloud billing projects link ${project} --billing-account=NUMBER`,
        ]),
  ].join('\n');
}

const number = (name: string) => name.replace('billingAccounts/', '');

const budgetWords = (account: string, person: string) =>
  [
    `${person} may not make budgets on the billing account ${account}.`,
    'An administrator of that account can allow it:',
    `  gcloud billing accounts add-iam-policy-binding ${account} --member=${memberOf(person)} --role=roles/billing.costsManager`,
    'Without a budget the lab works and reckons its spending itself: the guard',
    'still stops machines, but Google sends no bill to compare with.',
  ].join('\n');

/** A budget has to be in the currency of its account. */
async function currencyOf(account: string): Promise<string> {
  try {
    const { currencyCode } = (await gcloudJson('billing', 'accounts', 'describe', account)) as {
      currencyCode?: string;
    };
    return currencyCode ?? 'USD';
  } catch (error) {
    if (error instanceof Failed) return 'USD';
    throw error;
  }
}
