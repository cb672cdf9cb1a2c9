import { memberOf } from './account.ts';
import { type Remedy, remedyOf } from './failures.ts';
import { Failed } from './program.ts';
import { Stop } from './stop.ts';

/** What a person is told who cannot be helped by waiting: what happened, and the command or the person that helps. */
export function explain(error: unknown, { project, account }: { project: string; account: string }): Error {
  if (!(error instanceof Failed)) return error as Error;
  const remedy = remedyOf(error.output);
  return new Stop([firstLines(error.output), '', ...advice(remedy, project, account)].join('\n'));
}

function advice(remedy: Remedy, project: string, account: string): string[] {
  switch (remedy.kind) {
    case 'permission':
      return [
        `A right is missing${remedy.permission ? `: ${remedy.permission}` : ''}${remedy.resource ? ` on ${remedy.resource}` : ''}.`,
        remedy.resource?.startsWith('billingAccounts')
          ? 'An administrator of the billing account can give it:'
          : 'An owner of the project can give it:',
        remedy.resource?.startsWith('billingAccounts')
          ? `  gcloud billing accounts add-iam-policy-binding ${remedy.resource.split('/')[1]} --member=${memberOf(account)} --role=roles/billing.costsManager`
          : `  gcloud projects add-iam-policy-binding ${project} --member=${memberOf(account)} --role=roles/owner`,
        'Then run npm run deploy again: it goes on where it was.',
      ];
    case 'locked':
      return [
        'Somebody else is deploying this lab now, or a run was ended in the middle. If nobody is:',
        `  terraform -chdir=deploy/google/terraform force-unlock ${remedy.id ?? 'ID'}`,
        'Then run npm run deploy again.',
      ];
    case 'wait':
      return [
        `This passes by itself (${remedy.why}), but has not yet. Run npm run deploy again in some minutes.`,
      ];
    default:
      return [
        'Run npm run deploy again: it goes on where it was. If it is the same once more, these words are what to search for',
        'or to report.',
      ];
  }
}

const firstLines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 12)
    .join('\n');
