import { memberOf } from './account.ts';
import { gcloudJson } from './gcloud.ts';
import { missingPermissions, neededPermissions } from './permissions.ts';
import { Failed } from './program.ts';
import { Stop } from './stop.ts';

type Project = { projectId: string; name?: string; lifecycleState?: string };

export const projects = async (): Promise<Project[]> =>
  ((await gcloudJson('projects', 'list', '--filter=lifecycleState:ACTIVE', '--limit=200')) ??
    []) as Project[];

/** @throws Stop that says what is wrong with it */
export async function checkProject(project: string, account: string): Promise<void> {
  let found: Project;
  try {
    found = (await gcloudJson('projects', 'describe', project)) as Project;
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    if (!/does not have permission|not exist|NOT_FOUND|PERMISSION_DENIED|Unknown project/i.test(error.output))
      throw error;
    const others = (await projects()).map(({ projectId }) => `  ${projectId}`);
    throw new Stop(
      [
        `There is no project ${project} that ${account} can see.`,
        'It is the project’s id that is wanted, not its name.',
        ...(others.length > 0
          ? ['These can be seen:', ...others]
          : [`None can be seen. Make one: gcloud projects create`]),
      ].join('\n'),
    );
  }
  if (found.lifecycleState && found.lifecycleState !== 'ACTIVE')
    throw new Stop(
      `The project ${project} is being deleted. To have it back:\n  gcloud projects undelete ${project}`,
    );
  const missing = await missingPermissions({ project }, neededPermissions);
  if (missing.length > 0) throw new Stop(await missingWords(project, account, missing));
}

async function missingWords(project: string, account: string, missing: string[]): Promise<string> {
  const owners = await ownersOf(project);
  return [
    `${account} may not make everything that a lab needs in ${project}. Missing:`,
    ...missing.slice(0, 5).map((permission) => `  ${permission}`),
    ...(missing.length > 5 ? [`  and ${missing.length - 5} more`] : []),
    owners.length > 0
      ? `Ask an owner of the project (${owners.join(', ')}) to run:`
      : 'Ask an owner of the project to run:',
    `  gcloud projects add-iam-policy-binding ${project} --member=${memberOf(account)} --role=roles/owner`,
    'It can be taken away again afterwards, with remove-iam-policy-binding.',
  ].join('\n');
}

/** Whom to ask; nobody, if that may not be seen. */
async function ownersOf(project: string): Promise<string[]> {
  try {
    const policy = (await gcloudJson('projects', 'get-iam-policy', project)) as {
      bindings?: { role: string; members: string[] }[];
    };
    const members = policy.bindings?.find(({ role }) => role === 'roles/owner')?.members ?? [];
    return members.map((member) => member.replace(/^(user|group):/, ''));
  } catch (error) {
    if (error instanceof Failed) return [];
    throw error;
  }
}
