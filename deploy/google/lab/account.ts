import { gcloud } from './gcloud.ts';
import { Stop } from './stop.ts';

/** In whose name everything is done: an address. */
export async function activeAccount(): Promise<string> {
  const account = await gcloud('auth', 'list', '--filter=status:ACTIVE', '--format=value(account)');
  if (!account)
    throw new Stop('Nobody is logged in. Run:\n  gcloud auth login\nand then the same command again.');
  return account.split('\n')[0] ?? account;
}

/** As IAM writes it. */
export const memberOf = (account: string) =>
  `${account.endsWith('.gserviceaccount.com') ? 'serviceAccount' : 'user'}:${account}`;
