import type { Context } from '../service.ts';

/** Who owns `drive/`, and the service account that it is shared with, as Drive describes users. */
export function people({ project }: Pick<Context, 'project'>) {
  const user = (displayName: string, emailAddress: string, permissionId: string, me: boolean) => ({
    kind: 'drive#user',
    displayName,
    me,
    permissionId,
    emailAddress,
  });
  return {
    owner: user('Researcher', `researcher@${project}.example`, '10000000000000000001', false),
    me: user('Gazeline', `gazeline@${project}.iam.gserviceaccount.com`, '10000000000000000002', true),
  };
}
