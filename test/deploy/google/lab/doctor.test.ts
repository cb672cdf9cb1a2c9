import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { names, state, well } from './healthyLab.ts';
import { givenAnswers, NewLab } from './newLab.ts';
import { isPythonThere } from './terminal.ts';

let lab: NewLab;
beforeEach(async () => {
  const settings = {
    GAZELINE_MOST_PER_PERSON: '200',
    GAZELINE_EXCLUDE: "it's *.tmp",
    GAZELINE_NOTICE_WEBHOOK: 'https://hooks.example.org/secret',
  };
  const answers = { ...givenAnswers, billing_account: '012345-567890-ABCDEF', settings };
  lab = await NewLab.make({ answers: well(), objects: state() }, answers);
});
afterEach(() => lab.close());

(isPythonThere ? describe : describe.skip)('npm run deploy -- doctor', () => {
  test('of a lab in which everything is well it says so, and changes nothing', async () => {
    const before = lab.world();
    const doctor = lab.start('doctor');
    await doctor.sees(`${names.length} of ${names.length} functions are there`);
    await doctor.sees('Drive may call drive-webhook');
    await doctor.sees('clocks tick');
    await doctor.sees('Every function has its deliveries');
    await doctor.sees('The study folder was read 3 minutes ago');
    await doctor.sees('Drive tells the lab of changes');
    await doctor.sees('Nothing was put aside');
    await doctor.sees('The budget guard lets everything pass');
    await doctor.sees('The lab works.');
    expect(await doctor.ended).toBe(0);
    expect(lab.world()).toEqual(before);
    expect(lab.asked().join('\n')).not.toMatch(/create|delete|update|publish|enable|apply|add-iam/);
  }, 60_000);

  test('each thing that is not well is explained, with what helps', async () => {
    const found = well();
    found['functions list'] = found['functions list'].slice(1);
    found['run services get-iam-policy'] = { bindings: [] };
    found['scheduler jobs list'] = found['scheduler jobs list'].map((job) =>
      job.name.endsWith('/drive-tick') ? { ...job, state: 'PAUSED' } : job,
    );
    lab.change({
      billing: {},
      answers: found,
      objects: state({
        'drive/feed.json': JSON.stringify({ pageToken: '7', drainedAt: '2026-01-05T08:00:00.000Z' }),
        'drive/channels.json': '[]',
        'dead-letters/1.json': '{}',
        'dead-letters/2.json': '{}',
        'problems/annotate/1.json': '{}',
        'budget/guard.json': JSON.stringify({ level: 'stop-all' }),
      }),
    });
    const doctor = lab.start('doctor');
    await doctor.sees('Nobody pays for the project');
    await doctor.sees('gcloud billing projects link my-lab-gaze --billing-account=012345-567890-ABCDEF');
    await doctor.sees(`${names[0]?.[0]} is not deployed`);
    await doctor.sees('Drive may not call drive-webhook');
    await doctor.sees('The clock drive-tick is PAUSED');
    await doctor.sees(
      'gcloud scheduler jobs resume drive-tick --location=europe-west4 --project=my-lab-gaze',
    );
    await doctor.sees('2 deliveries were given up');
    await doctor.sees('The study folder was last read at 2026-01-05T08:00:00.000Z');
    await doctor.sees('Drive does not tell the lab of changes');
    await doctor.sees('1 inputs were put aside');
    await doctor.sees('The budget guard is at “stop-all”');
    expect(await doctor.ended).toBe(1);
  }, 60_000);

  test('where there is no lab it says so once, and does not go on', async () => {
    lab.change({ answers: { ...well(), 'functions list': [] } });
    const doctor = lab.start('doctor');
    await doctor.sees('There is no lab in my-lab-gaze, europe-west4');
    await doctor.sees('npm run deploy makes it.');
    await doctor.sees('1 broken');
    expect(await doctor.ended).toBe(1);
    expect(doctor.text).not.toMatch(/cannot be looked at|clocks|is not deployed/);
  }, 60_000);

  test('what npx gazeline has to know is printed for a shell, and nothing else', async () => {
    const env = lab.start('env');
    expect(await env.ended).toBe(0);
    expect(env.text.trim().split('\n')).toEqual([
      "export GAZELINE_PROJECT='my-lab-gaze'",
      "export GAZELINE_STUDY_FOLDER='1AbC_dEfGhIjKlMnOp'",
      "export GAZELINE_RAW_BUCKET='my-lab-gaze-gazeline-raw'",
      "export GAZELINE_DERIVED_BUCKET='my-lab-gaze-gazeline-derived'",
      "export GAZELINE_STATE_BUCKET='my-lab-gaze-gazeline-state'",
      "export GAZELINE_MOST_PER_PERSON='200'",
      "export GAZELINE_EXCLUDE='it'\\''s *.tmp'",
    ]);
  }, 60_000);

  test('a folder that was never read is most often not shared; and without answers there is nothing to look at', async () => {
    lab.change({ objects: { 'my-lab-gaze-gazeline-state': {} } });
    const doctor = lab.start('doctor');
    await doctor.sees('The study folder has never been read');
    await doctor.sees('https://drive.google.com/drive/folders/1AbC_dEfGhIjKlMnOp');
    expect(await doctor.ended).toBe(1);

    const { rm } = await import('node:fs/promises');
    await rm(`${lab.dir}/lab.auto.tfvars.json`);
    const nothing = lab.start('doctor');
    await nothing.sees('Not answered yet: project, region, study_folder');
    expect(await nothing.ended).toBe(1);
  }, 60_000);
});
