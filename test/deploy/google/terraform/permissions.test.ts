import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Needs, permissions } from '../../../../deploy/google/permissions.ts';
import { functions } from '../../../../functions/index.ts';
import { granted, type Plan } from './plan.ts';
import { isTerraformThere, openWorkspace, type Workspace } from './workspace.ts';

type Name = keyof typeof functions;
const names = Object.keys(functions) as Name[];
const project = 'project lab-of-gaze';
const account = (id: string) =>
  `account projects/lab-of-gaze/serviceAccounts/${id}@lab-of-gaze.iam.gserviceaccount.com`;
const places: Record<Exclude<keyof Needs, 'publishes' | 'itself'>, string> = {
  raw: 'bucket lab-of-gaze-gazeline-raw',
  derived: 'bucket lab-of-gaze-gazeline-derived',
  state: 'bucket lab-of-gaze-gazeline-state',
  project,
  machines: project,
  billing: project,
  leftovers: project,
  machineAccount: account('gazeline-machines'),
  driveAccount: account('gazeline-drive'),
  channelSecret: 'secret gazeline-channel-secret',
};
const ofMachines =
  'resource.name.extract("/instances/{name}").startsWith("gazeline-") || resource.name.extract("/disks/{name}").startsWith("gazeline-")';

/** The table, written as what a plan gives. */
function wanted(name: Name, without: string[]): string[] {
  const { publishes = [], ...needs } = permissions[name];
  const grants = Object.entries(needs)
    .filter(([on]) => !without.includes(on))
    .flatMap(([on, list]) =>
      list.map(
        (one) =>
          `${on === 'itself' ? account(`gazeline-${name}`) : places[on as keyof typeof places]}: ${one}${on === 'machines' ? ` if ${ofMachines}` : ''}`,
      ),
    );
  return [
    ...new Set([...grants, ...publishes.map((topic) => `topic ${topic}: pubsub.topics.publish`)]),
  ].sort();
}

const givenTo = (plan: Plan, name: Name): string[] =>
  granted(plan)
    .filter(({ to }) => to === name)
    .map(({ on, permission, condition }) => `${on}: ${permission}${condition ? ` if ${condition}` : ''}`)
    .sort();

const all = { detach_billing: true, settings: { GAZELINE_IDLE_DELETE_AFTER: '30' } };

(isTerraformThere ? describe : describe.skip).each([
  ['a usual lab', {}, ['billing', 'leftovers']],
  ['a lab that may be detached, and deletes idle machines', all, []],
])('in %s', (_lab, variables, without) => {
  let workspace: Workspace;
  let plan: Plan;
  beforeAll(async () => {
    workspace = await openWorkspace(variables);
    await workspace.terraform('plan', '-out=plan');
    plan = (await workspace.json('show', '-json', 'plan')) as Plan;
  }, 60_000);
  afterAll(() => workspace.close());

  test.each(names)('%s gets what its code calls for, and nothing more', (name) => {
    expect(givenTo(plan, name)).toEqual(wanted(name, without));
  });

  test('nobody but file-sync can change anything in the raw bucket', () => {
    const changes = granted(plan).filter(
      ({ on, permission }) =>
        on === places.raw && !['storage.objects.get', 'storage.objects.list'].includes(permission),
    );
    expect([...new Set(changes.map(({ to }) => to))]).toEqual(['file-sync']);
  });

  test('whoever signs, signs as itself', () => {
    const signs = granted(plan).filter(({ permission }) => permission === 'iam.serviceAccounts.signBlob');
    expect(signs.map(({ to, on }) => [to, on])).toEqual([['api', account('gazeline-api')]]);
  });

  test('nothing can attach a project to a billing account, nor give itself more', () => {
    const all = granted(plan).map(({ permission }) => permission);
    expect(
      all.filter((one) => /createBillingAssignment|setIamPolicy|^iam\.roles|^billing\./.test(one)),
    ).toEqual([]);
    expect(all.filter((one) => one.includes('BillingAssignment'))).toHaveLength(without.length > 0 ? 0 : 1);
  });
});
