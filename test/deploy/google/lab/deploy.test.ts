import { afterEach, describe, expect, test } from '@jest/globals';
import { givenAnswers, NewLab } from './newLab.ts';
import { isPythonThere, keys } from './terminal.ts';

/*
 * `npm run deploy` as a person meets it: on a terminal, with keys pressed. gcloud and terraform are stood in for; that what
 * is asked of them is asked rightly, `gcloud.test.ts` finds with the real ones.
 */
let lab: NewLab;
afterEach(() => lab?.close());

(isPythonThere ? describe : describe.skip)('npm run deploy', () => {
  test('asks, explains, plans, makes the lab, and follows a file through it', async () => {
    lab = await NewLab.make();
    const terminal = lab.start();
    await terminal.sees('What is about to happen');
    await terminal.sees('You are ada@uni.example.');
    await terminal.answer('In which project?', keys.enter);
    await terminal.answer('Where is everything to be?', keys.enter);
    await terminal.answer('link of the study folder', `not a link${keys.enter}`);
    await terminal.answer('That is not the link of a folder in Drive.', '\u0015');
    terminal.type(`https://drive.google.com/drive/folders/1AbC_dEfGhIjKlMnOp?usp=sharing${keys.enter}`);
    await terminal.answer('If that folder is in a shared drive', keys.enter);
    await terminal.answer('What may the lab spend', keys.enter);
    await terminal.answer('Who may read the data', `grace@uni.example, group:lab@uni.example${keys.enter}`);
    await terminal.sees('is there, is paid for, and you may make a lab in it');
    await terminal.sees(/\$\d+\.\d\d a month in which nobody does anything/);
    await terminal.answer('Shall it be planned?', keys.enter);
    await terminal.sees('3 buckets');
    await terminal.sees('3 functions');
    await terminal.answer('Shall it be done?', keys.enter);
    await terminal.sees('11 of 11 done');
    await terminal.sees('gazeline-drive@my-lab-gaze.iam.gserviceaccount.com');
    await terminal.answer('Is it shared?', keys.enter);
    await terminal.sees('Drive tells the lab of every change');
    await terminal.sees('Now drop a picture or a text into the study folder');
    await terminal.sees('tower.png has arrived and is annotated');
    await terminal.sees('The lab works.');
    expect(await terminal.ended).toBe(0);

    expect(await lab.answers()).toEqual({
      ...givenAnswers,
      budget: { amount: 50, currency: 'EUR' },
      billing_account: '012345-567890-ABCDEF',
      people: { ada: 'user:ada@uni.example', grace: 'user:grace@uni.example', lab: 'group:lab@uni.example' },
      roles: { ada: 'admin' },
    });
    expect(lab.world().made).toHaveLength(11);
    // They lie beside Terraform's memory for the builds, and nowhere is a secret.
    const kept = lab.world().objects['my-lab-gaze-gazeline-terraform']?.['lab.auto.tfvars.json'] ?? '';
    expect(JSON.parse(kept)).toEqual(await lab.answers());
    expect(`${lab.asked().join('\n')}${kept}${terminal.text}`).not.toMatch(/a-token-of|channel_secret/);
    const storing = lab.asked().filter((command) => command.startsWith('gcloud storage buckets'));
    expect(storing.join('\n')).toMatch(/create .*--uniform-bucket-level-access --public-access-prevention/);
    expect(storing.join('\n')).toMatch(/update .*--versioning/);
  }, 150_000);

  test('without gcloud it says where to get it', async () => {
    lab = await NewLab.make();
    await lab.remove('gcloud');
    const terminal = lab.start();
    await terminal.sees('Gazeline needs gcloud. Install it: https://cloud.google.com/sdk/docs/install');
    await terminal.sees('Cloud Shell has both');
    expect(await terminal.ended).toBe(1);
    expect(lab.asked()).toEqual(['terraform version -json']);
  }, 30_000);

  test('a terraform that is too old, and nobody who is logged in', async () => {
    lab = await NewLab.make({ account: '' });
    lab.env.STAND_IN_TERRAFORM = '1.9.8';
    const old = lab.start();
    await old.sees('terraform 1.9.8 is too old: 1.11 is needed');
    expect(await old.ended).toBe(1);
    delete lab.env.STAND_IN_TERRAFORM;
    const nobody = lab.start();
    await nobody.sees('gcloud auth login');
    expect(await nobody.ended).toBe(1);
  }, 30_000);

  test('a project that is not there, or not to be seen, and those that are', async () => {
    lab = await NewLab.make({}, { ...givenAnswers, project: 'my-lab-gauze' });
    const terminal = lab.start();
    await terminal.sees('There is no project my-lab-gauze that ada@uni.example can see.');
    await terminal.sees('my-lab-gaze');
    expect(await terminal.ended).toBe(1);
  }, 30_000);

  test('a project that nobody pays for: the command that links it to an account', async () => {
    lab = await NewLab.make({ billing: {} }, givenAnswers);
    const terminal = lab.start();
    await terminal.sees('The project my-lab-gaze has no billing account');
    await terminal.sees('gcloud billing projects link my-lab-gaze --billing-account=0A0A0A-1B1B1B-2C2C2C');
    expect(await terminal.ended).toBe(1);
  }, 30_000);

  test('missing rights in the project: what is missing, whom to ask, and what that person types', async () => {
    lab = await NewLab.make({}, givenAnswers);
    lab.denied.add('iam.roles.create');
    const terminal = lab.start();
    await terminal.sees('iam.roles.create');
    await terminal.sees('Ask an owner of the project (grace@uni.example) to run:');
    await terminal.sees(
      'gcloud projects add-iam-policy-binding my-lab-gaze --member=user:ada@uni.example --role=roles/owner',
    );
    expect(await terminal.ended).toBe(1);
  }, 30_000);

  test('a missing right on the billing account is said, with its command, and the lab does without a budget', async () => {
    lab = await NewLab.make({}, givenAnswers);
    lab.denied.add('billing.budgets.create');
    const terminal = lab.start('--no-self-test');
    await terminal.sees(
      'gcloud billing accounts add-iam-policy-binding 012345-567890-ABCDEF --member=user:ada@uni.example --role=roles/billing.costsManager',
    );
    await terminal.answer('Shall it be planned?', keys.enter);
    await terminal.answer('Shall it be done?', keys.enter);
    expect(await terminal.ended).toBe(0);
    expect(await lab.answers()).toMatchObject({ billing_account: '' });
  }, 30_000);

  test('what Google makes known slowly is waited for, three times in a row', async () => {
    const applyErrors = [
      {
        summary:
          'Error creating Topic: googleapi: Error 403: Cloud Pub/Sub API has not been used in project 123 before or it is disabled. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.',
      },
      {
        summary: 'Error applying IAM policy',
        detail:
          'googleapi: Error 400: Service account gazeline-annotate@my-lab-gaze.iam.gserviceaccount.com does not exist., badRequest',
      },
      {
        summary:
          'Error creating AlertPolicy: googleapi: Error 404: Cannot find metric(s) that match type = "logging.googleapis.com/user/gazeline/failures"',
      },
    ];
    lab = await NewLab.make({ applyErrors }, givenAnswers);
    const terminal = lab.start('--no-self-test');
    await terminal.answer('Shall it be planned?', keys.enter);
    await terminal.answer('Shall it be done?', keys.enter);
    await terminal.sees('a service that was just switched on is not known everywhere yet');
    await terminal.sees('a new account is not known everywhere yet');
    await terminal.sees('a new metric is not known yet');
    await terminal.sees('(3 of 4)');
    expect(await terminal.ended).toBe(0);
    expect(lab.world().made).toHaveLength(11);
    expect(lab.asked().filter((command) => command.startsWith('terraform apply'))).toHaveLength(4);
  }, 150_000);

  test('an error that does not pass is shown with the right that is missing, and nothing is lost', async () => {
    const applyErrors = [
      {
        summary:
          "Error creating function: googleapi: Error 403: Permission 'cloudfunctions.functions.create' denied on resource 'projects/my-lab-gaze/locations/europe-west4' (or it may not exist).",
      },
    ];
    lab = await NewLab.make({ applyErrors }, givenAnswers);
    const terminal = lab.start('--no-self-test');
    await terminal.answer('Shall it be planned?', keys.enter);
    await terminal.answer('Shall it be done?', keys.enter);
    await terminal.sees(
      'A right is missing: cloudfunctions.functions.create on projects/my-lab-gaze/locations/europe-west4',
    );
    await terminal.sees('--role=roles/owner');
    expect(await terminal.ended).toBe(1);
    expect(lab.world().made).toHaveLength(5);
  }, 150_000);

  test('interrupted at a question, in the middle of the work, and run again: it goes on', async () => {
    lab = await NewLab.make({ pace: 300 });
    const first = lab.start('--no-self-test');
    await first.answer('In which project?', keys.enter);
    await first.answer('Where is everything to be?', keys.ctrlC);
    await first.sees('Your answers are remembered');
    expect(await first.ended).toBe(130);
    expect(await lab.answers()).toEqual({ project: 'my-lab-gaze' });

    // The rest is answered; then Ctrl-C while Terraform works.
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${lab.dir}/lab.auto.tfvars.json`, JSON.stringify(givenAnswers));
    const second = lab.start('--no-self-test');
    await second.answer('Shall it be planned?', keys.enter);
    await second.answer('Shall it be done?', keys.enter);
    await second.sees(/[2-4]\/11/);
    second.type(keys.ctrlC);
    expect(await second.ended).toBe(130);
    const half = lab.world().made.length;
    expect(half).toBeGreaterThan(1);
    expect(half).toBeLessThan(11);

    const third = lab.start('--no-self-test');
    await third.answer('Shall it be planned?', keys.enter);
    await third.answer('Shall it be done?', keys.enter);
    await third.sees(`${11 - half} of ${11 - half} done`);
    expect(await third.ended).toBe(0);
    expect(lab.world().made).toHaveLength(11);
  }, 150_000);

  test('where public functions are forbidden, the lab polls: seen beforehand, or only when it is refused', async () => {
    lab = await NewLab.make({ isPublicForbidden: true }, givenAnswers);
    const before = lab.start('--no-self-test');
    await before.sees('iam.allowedPolicyMemberDomains');
    await before.answer('Shall it be planned?', keys.ctrlC);
    expect(await before.ended).toBe(130);
    expect(await lab.answers()).toMatchObject({ public_webhook: false });
    await lab.close();

    const applyErrors = [
      {
        summary:
          'Error applying IAM policy for cloudrunv2 service: googleapi: Error 400: One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.',
      },
    ];
    lab = await NewLab.make({ applyErrors }, givenAnswers);
    const terminal = lab.start('--no-self-test');
    await terminal.answer('Shall it be planned?', keys.enter);
    await terminal.answer('Shall it be done?', keys.enter);
    await terminal.sees('every five minutes');
    expect(await terminal.ended).toBe(0);
    expect(await lab.answers()).toMatchObject({ public_webhook: false });
  }, 150_000);

  test('plan only says what would be done', async () => {
    lab = await NewLab.make({}, givenAnswers);
    const terminal = lab.start('plan');
    await terminal.sees('3 buckets');
    await terminal.sees('Nothing was changed. To do it: npm run deploy');
    expect(await terminal.ended).toBe(0);
    expect(lab.world().made).toEqual([]);
  }, 150_000);

  test('with --ci it asks for the repository, and says how to connect one', async () => {
    lab = await NewLab.make({}, givenAnswers);
    const repository = 'projects/my-lab-gaze/locations/europe-west4/connections/github/repositories/gazeline';
    const terminal = lab.start('--ci', '--no-self-test');
    await terminal.sees(
      'https://console.cloud.google.com/cloud-build/repositories/2nd-gen?project=my-lab-gaze',
    );
    await terminal.answer('The full name of the repository', `${repository}${keys.enter}`);
    await terminal.answer('Shall it be planned?', keys.enter);
    await terminal.answer('Shall it be done?', keys.enter);
    expect(await terminal.ended).toBe(0);
    expect(await lab.answers()).toMatchObject({ repository });
  }, 150_000);
});
