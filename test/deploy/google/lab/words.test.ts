import { expect, test } from '@jest/globals';
import { peopleOf } from '../../../../deploy/google/lab/people.ts';
import { planInWords } from '../../../../deploy/google/lab/planInWords.ts';
import { folderIdOf } from '../../../../deploy/google/lab/studyFolder.ts';

const change = (address: string, ...actions: string[]) => ({
  address,
  type: address.split('.')[0] ?? '',
  change: { actions },
});

test('a plan is told by kinds, and what holds data and would go by its name', () => {
  const plan = {
    resource_changes: [
      change('google_storage_bucket.raw', 'delete'),
      change('google_storage_bucket.derived', 'create'),
      change('google_cloudfunctions2_function.function["a"]', 'update'),
      change('google_cloudfunctions2_function.function["b"]', 'update'),
      change('google_project_iam_member.function["a"]', 'delete', 'create'),
      change('google_storage_bucket_iam_member.function["a"]', 'create'),
      change('google_compute_network.unheard_of', 'create'),
      change('google_pubsub_topic.a', 'no-op'),
      change('data.google_project.lab', 'read'),
    ],
  };
  expect(planInWords(plan)).toBe(`New:
    1 bucket
    1 right
    1 other thing
Changed in place:
    2 functions
Removed and made anew:
    1 right
Removed:
    1 bucket
      google_storage_bucket.raw, with all that is in it`);
  expect(planInWords({ resource_changes: [change('google_pubsub_topic.a', 'no-op')] })).toMatch(/^Nothing/);
});

test.each([
  ['https://drive.google.com/drive/folders/1AbC_dEf-GhIjKl', '1AbC_dEf-GhIjKl'],
  ['https://drive.google.com/drive/u/2/folders/1AbC_dEf-GhIjKl?usp=sharing', '1AbC_dEf-GhIjKl'],
  ['https://drive.google.com/open?id=1AbC_dEf-GhIjKl&authuser=0', '1AbC_dEf-GhIjKl'],
  [' 1AbC_dEf-GhIjKl ', '1AbC_dEf-GhIjKl'],
  ['https://drive.google.com/file/d/1AbC_dEf-GhIjKl/view', undefined],
  ['https://example.com/folders/1AbC_dEf-GhIjKl', undefined],
  ['my folder', undefined],
])('the folder in %j', (link, id) => {
  expect(folderIdOf(link)).toBe(id);
});

test('people have short names, all different, that accounts can be called after', () => {
  expect(
    peopleOf(
      'ada@uni.example, group:lab@uni.example Ada.Lovelace-of-the-Analytical@uni.example ada@other.example',
    ),
  ).toEqual({
    ada: 'user:ada@uni.example',
    lab: 'group:lab@uni.example',
    'ada-lovelace-of': 'user:Ada.Lovelace-of-the-Analytical@uni.example',
    ada2: 'user:ada@other.example',
  });
  expect(Object.keys(peopleOf('7@uni.example, jürgen@uni.example'))).toEqual(['person', 'ju-rgen']);
  expect(() => peopleOf('ada')).toThrow('ada is not an address');
});
