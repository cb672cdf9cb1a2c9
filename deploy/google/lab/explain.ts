import { memberOf } from './account.ts';
import { type Remedy, remedyOf } from './failures.ts';
import { Failed } from './program.ts';
import { Stop } from './stop.ts';

/** What a person is told who cannot be helped by waiting: what happened, and the command or the person that helps. */
export function explain(error: unknown, lab: Lab): Error {
  if (!(error instanceof Failed)) return error as Error;
  return new Stop([firstLines(error.output), '', ...advice(remedyOf(error.output), lab)].join('\n'));
}

type Lab = {
  project: string;
  account: string;
  /** What to run once more. */
  again?: string;
};
const goesOn = (again: string) => (again.endsWith('doctor') ? '.' : ': it goes on where it was.');

function advice(remedy: Remedy, { project, account, again = 'npm run deploy' }: Lab): string[] {
  switch (remedy.kind) {
    case 'permission': {
      const { permission, resource } = remedy;
      const billing = /^billingAccounts\/([^/]+)/.exec(resource ?? '')?.[1];
      const member = memberOf(account);
      return [
        `A right is missing${permission ? `: ${permission}` : ''}${resource ? ` on ${resource}` : ''}.`,
        ...(billing
          ? [
              'An administrator of the billing account can give it:',
              `  gcloud billing accounts add-iam-policy-binding ${billing} --member=${member} --role=roles/billing.costsManager`,
            ]
          : [
              'An owner of the project can give it:',
              `  gcloud projects add-iam-policy-binding ${project} --member=${member} --role=roles/owner`,
            ]),
        `Then run ${again} again${goesOn(again)}`,
      ];
    }
    case 'locked':
      return [
        'Somebody else is deploying this lab now, or a run was ended in the middle. If nobody is:',
        `  terraform -chdir=deploy/google/terraform force-unlock ${remedy.id ?? 'ID'}`,
        `Then run ${again} again.`,
      ];
    case 'wait':
      return [`This passes by itself (${remedy.why}), but has not yet. Run ${again} again in some minutes.`];
    default:
      return [
        `Run ${again} again${goesOn(again)}`,
        'If it is the same once more, these words are what to search for or to report.',
      ];
  }
}

const firstLines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 12)
    .join('\n');
