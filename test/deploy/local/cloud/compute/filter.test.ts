import { expect, test } from '@jest/globals';
import { parseFilter } from '../../../../../deploy/local/cloud/compute/lists/filter.ts';

const link = 'http://127.0.0.1:8470/compute/v1/projects/p/zones/z/instances/job-1';
const resource = {
  name: 'job-1',
  status: 'RUNNING',
  guestCpus: 12,
  targetLink: link,
  labels: { 'gazeline-lab': 'eyes', empty: '' },
  scheduling: { preemptible: true },
  disks: [{ source: 'a' }, { source: 'b' }],
};

test.each([
  ['', true],
  ['name=job-1', true],
  ['name = "job-1"', true],
  ['name=job', false],
  ['name:JOB', true],
  ['name != job-1', false],
  ['name eq "job-.*"', true],
  ['name eq job', false],
  ['name ne ".*2"', true],
  ['labels.gazeline-lab=eyes', true],
  ['labels."gazeline-lab"="eyes"', true],
  ['labels.gazeline-lab:*', true],
  ['labels.empty=""', true],
  ['labels.nothing:*', false],
  ['labels.nothing!=eyes', true],
  ['scheduling.preemptible = true', true],
  ['guestCpus > 8 guestCpus<=12', true],
  ['disks.source=b', true],
  ['(status = RUNNING) AND (name = "job-2")', false],
  ['(status = RUNNING) (name = "job-1")', true],
  ['status=TERMINATED OR name=job-1', true],
  ['NOT status=TERMINATED', true],
  ['-status=RUNNING', false],
  [`targetLink="${link}"`, true],
  [`targetLink=${link}`, true],
  [`targetLink:/instances/job`, true],
])('the filter %j is %s of a resource', (filter, expected) => {
  expect(parseFilter(filter)(resource)).toBe(expected);
});

test.each(['name', 'name=', '=x', '(name=x', 'name=x)', 'name eq "("', 'AND', '"name"=x'])(
  'the filter %j cannot be read, and is refused',
  (filter) => {
    expect(() => parseFilter(filter)(resource)).toThrow(/Invalid (list filter|regular) expression/);
  },
);
