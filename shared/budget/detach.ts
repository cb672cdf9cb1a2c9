import type { cloudbilling_v1 } from 'googleapis/build/src/apis/cloudbilling/v1.js';
import type { Pass } from './performSteps.ts';

export type DetachDependencies = {
  billing: () => Promise<cloudbilling_v1.Cloudbilling>;
  project: string;
  /** The first of two settings: `GAZELINE_DETACH_BILLING=on`. The second is the threshold, without which it is not reached. */
  isOn: boolean;
  /** The only projects that may be detached. */
  allowed: string[];
};

/**
 * Takes the project from its billing account, which stops everything in it, Gazeline included, and may lose what it holds.
 * https://cloud.google.com/billing/docs/how-to/modify-project#disable_billing_for_a_project
 *
 * Google's own sample sends an empty body, which detaches nothing; and one that was not understood would not be noticed.
 * So the answer is looked at.
 */
export async function detach(
  isRehearsal: boolean,
  { billing, project, isOn, allowed }: DetachDependencies,
): Promise<Pass> {
  const what = `project ${project}`;
  if (!isOn || !allowed.includes(project))
    return {
      results: [{ what, outcome: 'left', words: 'detaching is not switched on for this project' }],
      complete: true,
    };
  const failed = (words: string): Pass => ({
    results: [{ what, outcome: 'failed', words }],
    complete: false,
  });
  const name = `projects/${project}`;
  try {
    const { projects } = await billing();
    const { data: before } = await projects.getBillingInfo({ name });
    if (before.billingEnabled === false)
      return { results: [{ what, outcome: 'detached', words: 'it has no billing already' }], complete: true };
    if (isRehearsal)
      return {
        results: [
          { what, outcome: 'rehearsed', words: `it would be taken from ${before.billingAccountName}` },
        ],
        complete: true,
      };
    const { data: after } = await projects.updateBillingInfo({
      name,
      requestBody: { billingAccountName: '' },
    });
    if (after.billingEnabled || after.billingAccountName)
      return failed(`Google answers that it still belongs to ${after.billingAccountName}`);
    return { results: [{ what, outcome: 'detached' }], complete: true };
  } catch (error) {
    // A permission at the wrong place is how this fails: https://github.com/GoogleCloudPlatform/python-docs-samples/issues/9008
    return failed((error as Error).message.slice(0, 300));
  }
}
