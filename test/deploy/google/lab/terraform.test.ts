import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describe as describeFunctions } from '../../../../deploy/google/describe.ts';
import { project } from '../terraform/standIn/given.ts';
import { type Fields, type StandIn, startStandIn } from '../terraform/standIn/provider.ts';
import { isTerraformThere } from '../terraform/workspace.ts';
import { givenAnswers, NewLab } from './newLab.ts';
import { isPythonThere, keys } from './terminal.ts';

const source = join(import.meta.dirname, '../../../../deploy/google/terraform');

/*
 * With the real Terraform and the real configuration: only the provider is stood in for, and where the state is kept.
 */
(isPythonThere && isTerraformThere ? describe : describe.skip)(
  'npm run deploy, with Terraform itself',
  () => {
    let lab: NewLab;
    let provider: StandIn;

    beforeAll(async () => {
      lab = await NewLab.make(
        {
          projects: [{ projectId: project, name: 'Gaze', lifecycleState: 'ACTIVE' }],
          billing: { [project]: '012345-567890-ABCDEF' },
        },
        { ...givenAnswers, project },
      );
      await cp(source, lab.dir, {
        recursive: true,
        filter: (file) => !/backend\.tf$|\.terraform|tfstate|tfvars/.test(file),
      });
      const packages = join(lab.dir, 'packages');
      await mkdir(packages);
      for (const name of Object.keys(describeFunctions().functions))
        await writeFile(join(packages, `${name}.zip`), name);
      await writeFile(join(lab.dir, 'packages.auto.tfvars.json'), JSON.stringify({ packages }));
      await lab.useRealTerraform();
      provider = await startStandIn();
      Object.assign(lab.env, provider.env, { TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' });
    });
    afterAll(async () => {
      await provider.close();
      await lab.close();
    });

    test('a lab is planned in words, made with progress, and is then as it should be', async () => {
      const deploy = lab.start('--no-self-test');
      await deploy.answer('Shall it be planned?', keys.enter);
      await deploy.sees(/\d+ functions/, 60_000);
      await deploy.sees(/\d+ rights of these accounts/);
      await deploy.answer('Shall it be done?', keys.enter);
      await deploy.sees(/(\d+) of \1 done/, 120_000);
      await deploy.sees('gazeline-drive@lab-of-gaze.iam.gserviceaccount.com');
      expect(await deploy.ended).toBe(0);

      const plan = lab.start('plan');
      await plan.sees('The lab is as it should be.', 60_000);
      expect(await plan.ended).toBe(0);
    }, 240_000);

    test('and it is taken down without its data', async () => {
      const destroy = lab.start('destroy');
      await destroy.sees('gs://lab-of-gaze-gazeline-raw', 60_000);
      await destroy.sees('Removed:', 60_000);
      await destroy.answer('Shall it be done?', keys.enter);
      await destroy.sees('its data is where it was', 120_000);
      expect(await destroy.ended).toBe(0);
      const deleted = provider.done.filter(({ action }) => action === 'delete');
      expect(deleted.map(({ name }) => name)).toContain('file-sync');
      const buckets = deleted.filter(({ type }) => type === 'google_storage_bucket').map(({ name }) => name);
      expect(buckets).toEqual(['lab-of-gaze-gazeline-packages']);
    }, 240_000);

    test('and what it has left is deleted when that is said twice, with all that Google would keep of it', async () => {
      // gcloud's stand-in is to see them, as the provider's does.
      const names = ['derived', 'raw', 'state'].map((kind) => `lab-of-gaze-gazeline-${kind}`);
      const left = Object.fromEntries(names.map((name) => [name, { 'a.txt': 'data' }]));
      lab.change({ objects: { ...lab.world().objects, ...left } });
      const before = provider.done.length;
      const destroy = lab.start('destroy', '--delete-data');
      await destroy.answer('write the id of the project', `${project}${keys.enter}`);
      await destroy.sees('google_storage_bucket.raw, with all that is in it', 120_000);
      await destroy.answer('Shall it be done?', keys.enter);
      await destroy.sees('The lab and its data are gone.', 120_000);
      expect(await destroy.ended).toBe(0);
      const buckets = provider.done.slice(before).filter(({ type }) => type === 'google_storage_bucket');
      const of = (action: string) => buckets.filter((one) => one.action === action).map(({ name }) => name);
      expect(of('delete').sort()).toEqual(names);
      expect(of('create')).toEqual([]);
      const kept = ({ soft_delete_policy }: Fields) =>
        (soft_delete_policy as Fields[]).map(({ retention_duration_seconds: seconds }) => seconds);
      const last = buckets.filter(({ action }) => action === 'update').reverse();
      for (const name of names) {
        const fields = last.find((one) => one.name === name)?.fields ?? {};
        expect([name, fields.force_destroy, kept(fields)]).toEqual([name, true, [0]]);
      }
      expect(provider.done.slice(before).map(({ name }) => name)).not.toContain('file-sync');
    }, 240_000);
  },
);
