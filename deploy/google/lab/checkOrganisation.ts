import { gcloudJson } from './gcloud.ts';
import { Failed } from './program.ts';

/**
 * Whether an organisation forbids that everybody may call a function, as Drive has to.
 * https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains
 */
export async function forbidsPublicFunctions(project: string): Promise<boolean> {
  try {
    const { listPolicy } = ((await gcloudJson(
      'resource-manager',
      'org-policies',
      'describe',
      'iam.allowedPolicyMemberDomains',
      `--project=${project}`,
      '--effective',
    )) ?? {}) as { listPolicy?: { allowedValues?: string[]; allValues?: string } };
    return listPolicy?.allValues === 'DENY' || (listPolicy?.allowedValues ?? []).length > 0;
  } catch (error) {
    // Not allowed to look, or no organisation. If it is forbidden all the same, `apply` says so.
    if (error instanceof Failed) return false;
    throw error;
  }
}

export const pollingWords = [
  'Your organisation does not allow functions that everybody may call',
  '(iam.allowedPolicyMemberDomains), and Drive could not tell the lab of changes.',
  'So the lab looks by itself, every five minutes: everything works, and a file',
  'arrives after some minutes instead of seconds.',
].join('\n');
