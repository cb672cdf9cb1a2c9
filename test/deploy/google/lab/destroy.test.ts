import { afterEach, describe, expect, test } from '@jest/globals';
import { givenAnswers, NewLab } from './newLab.ts';
import { everything } from './standIns/everything.ts';
import { isPythonThere, keys } from './terminal.ts';

let lab: NewLab;
afterEach(() => lab?.close());

(isPythonThere ? describe : describe.skip)('npm run deploy -- destroy', () => {
  const raw = 'my-lab-gaze-gazeline-raw';
  const derived = 'my-lab-gaze-gazeline-derived';
  const data = {
    [raw]: { 'tower.png': 'a picture' },
    [derived]: { 'annotations/tower.png.json': '{}' },
    'my-lab-gaze-gazeline-state': {},
  };
  /** A lab that has been made, or only what another one has left. */
  const withData = (made = everything.map(([address]) => address)) =>
    NewLab.make({ made, objects: { ...data, 'my-lab-gaze-gazeline-terraform': {} } }, givenAnswers);

  test('destroy keeps the data and says where it is, and the next lab takes it over', async () => {
    lab = await withData();
    const destroy = lab.start('destroy');
    await destroy.sees('The data stays');
    await destroy.sees(`gs://${raw}`);
    await destroy.answer('Shall it be done?', keys.enter);
    await destroy.sees('The data, which is paid for as before:');
    await destroy.sees(`gs://${raw}`);
    await destroy.sees(`gs://${derived}`);
    await destroy.sees('A new lab in the same project takes it over');
    await destroy.sees('gcloud storage rm gs://my-lab-gaze-gazeline-terraform --recursive');
    await destroy.sees('its data is where it was');
    expect(await destroy.ended).toBe(0);
    expect(lab.world()).toMatchObject({ made: [], isDataLoose: false });
    expect(lab.world().objects).toMatchObject(data);

    const again = lab.start('--no-self-test');
    await again.answer('Shall it be planned?', keys.enter);
    await again.answer('Shall it be done?', keys.enter);
    await again.sees('8 of 8 done');
    expect(await again.ended).toBe(0);
    expect(lab.asked().filter((command) => command.startsWith('terraform import'))).toHaveLength(3);
    expect(lab.world().objects).toMatchObject(data);
  }, 150_000);

  test('data is not deleted when it was said only once, or nobody can be asked', async () => {
    lab = await withData();
    const wrong = lab.start('destroy', '--delete-data');
    await wrong.sees('AND ALL DATA, which nobody can bring back');
    await wrong.answer('write the id of the project', `other-project${keys.enter}`);
    await wrong.sees('Nothing was removed');
    expect(await wrong.ended).toBe(1);
    const notFinally = lab.start('destroy', '--delete-data');
    await notFinally.answer('write the id of the project', `my-lab-gaze${keys.enter}`);
    await notFinally.sees('google_storage_bucket.raw, with all that is in it');
    await notFinally.answer('Shall it be done?', `n`);
    await notFinally.sees('Nothing was removed. If you want to keep the lab, run npm run deploy once.');
    expect(await notFinally.ended).toBe(1);
    expect(lab.world().made).toHaveLength(11);
    expect(lab.world().objects).toMatchObject(data);
  }, 150_000);

  test('data is deleted when it was said twice, and what is gone is said, and what is left', async () => {
    lab = await withData();
    const destroy = lab.start('destroy', '--delete-data');
    await destroy.answer('write the id of the project', `my-lab-gaze${keys.enter}`);
    await destroy.answer('Shall it be done?', keys.enter);
    await destroy.sees('11 of 11 done');
    await destroy.sees('Gone for ever');
    await destroy.sees(`gs://${raw}`);
    await destroy.sees(`gs://${derived}`);
    await destroy.sees('The study folder in Drive');
    await destroy.sees('gcloud storage rm gs://my-lab-gaze-gazeline-terraform --recursive');
    await destroy.sees('The lab and its data are gone.');
    expect(await destroy.ended).toBe(0);
    expect(lab.world().made).toEqual([]);
    expect(Object.keys(lab.world().objects)).toEqual(['my-lab-gaze-gazeline-terraform']);
  }, 150_000);

  test('interrupted while data is deleted, and run again without: what is left of the data is kept', async () => {
    lab = await withData();
    // That it may be deleted is written down without trouble.
    lab.change({ applyErrors: [null, { summary: 'Error: the line went dead' }] });
    const destroy = lab.start('destroy', '--delete-data');
    await destroy.answer('write the id of the project', `my-lab-gaze${keys.enter}`);
    await destroy.answer('Shall it be done?', keys.enter);
    await destroy.sees('the line went dead');
    await destroy.sees('Run npm run deploy -- destroy --delete-data again: it goes on where it was.');
    expect(await destroy.ended).toBe(1);
    expect(lab.world().isDataLoose).toBe(true);

    const kept = lab.start('destroy');
    await kept.answer('Shall it be done?', keys.enter);
    await kept.sees('its data is where it was');
    expect(await kept.ended).toBe(0);
    expect(lab.world().made).toEqual([]);
    expect(lab.world().objects).toMatchObject(data);
  }, 150_000);

  test('the data that an earlier lab has left can be deleted too, and no lab is made for that', async () => {
    lab = await withData([]);
    const destroy = lab.start('destroy', '--delete-data');
    await destroy.answer('write the id of the project', `my-lab-gaze${keys.enter}`);
    await destroy.sees('3 of 3 done');
    await destroy.answer('Shall it be done?', keys.enter);
    await destroy.sees('3 of 3 done');
    await destroy.sees('The lab and its data are gone.');
    expect(await destroy.ended).toBe(0);
    expect(Object.keys(lab.world().objects)).toEqual(['my-lab-gaze-gazeline-terraform']);
    expect(lab.world().made).toEqual([]);
  }, 150_000);

  test('where there is no lab, destroy says so, and does nothing', async () => {
    lab = await NewLab.make({}, givenAnswers);
    const destroy = lab.start('destroy');
    await destroy.sees('There is no lab in my-lab-gaze that ada@uni.example can see');
    expect(await destroy.ended).toBe(1);
    expect(lab.asked().filter((command) => command.startsWith('terraform'))).toEqual([
      'terraform version -json',
    ]);
  }, 30_000);
});
