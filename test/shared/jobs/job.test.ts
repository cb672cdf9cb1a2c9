import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import { Job, jobSchema, runOf } from '../../../shared/jobs/job.ts';
import { jobDigest, jobId, jobIdPattern } from '../../../shared/jobs/jobId.ts';
import { InvalidJob, parseJob } from '../../../shared/jobs/parseJob.ts';

const smallest = 'name: First\nrepository: https://github.com/lab/analysis\ncommand: python fit.py\n';
const without = (field: string) => smallest.replace(new RegExp(`^${field}:.*\n`, 'm'), '');

function linesOf(text: string, options?: { allowFile?: boolean }): string[] {
  try {
    parseJob(text, options);
  } catch (error) {
    if (error instanceof InvalidJob) return error.lines;
    throw error;
  }
  return [];
}

test('the smallest job has these defaults', () => {
  expect(parseJob(smallest)).toEqual({
    name: 'First',
    repository: 'https://github.com/lab/analysis',
    ref: 'HEAD',
    command: 'python fit.py',
    inputs: [],
    results: ['results'],
    accelerators: [{ cpu: 4, memory: 16 }],
    spot: 'prefer',
    limits: { hours: 6, attempts: 3 },
    parameters: {},
    disk: 100,
  });
});

test('what was read is a job again, with every default written out', () => {
  const job = parseJob(smallest);
  expect(parseJob(JSON.stringify(job))).toEqual(job);
});

test('a job that says everything is read, as YAML and as JSON', () => {
  const text = `
name: Saccades of ÄÖ
repository: https://github.com/lab/analysis.git
ref: feature/saccades-2
notebook: notebooks/train.ipynb
environment: { conda: environment.yml }
inputs:
  - raw/recordings/
  - derived
  - { bucket: derived, prefix: annotations/, folder: data/annotations/ }
results: [results/, figures]
accelerators: [l4, A100:2, { gpu: nvidia-tesla-t4, count: 2 }, v5e-4, { tpu: v6e-1 }, cpu, "cpu:8", { cpu: 2, memory: 5.5 }]
spot: only
limits: { hours: 6.5, money: 12, attempts: 5 }
checkpoints: checkpoints
parameters: { rate: 0.001, layers: [64, 64], on: true, note: null, deep: { a: [{}] } }
disk: 200
regions: europe-west4
`;
  const job = parseJob(text);
  expect(job).toMatchObject({
    inputs: [
      { bucket: 'raw', prefix: 'recordings/', folder: 'raw/recordings' },
      { bucket: 'derived', prefix: '', folder: 'derived' },
      { bucket: 'derived', prefix: 'annotations/', folder: 'data/annotations' },
    ],
    results: ['results', 'figures'],
    accelerators: [
      { gpu: 'L4', count: 1 },
      { gpu: 'A100', count: 2 },
      { gpu: 'T4', count: 2 },
      { tpu: 'v5litepod-4' },
      { tpu: 'v6e-1' },
      { cpu: 4, memory: 16 },
      { cpu: 8, memory: 32 },
      { cpu: 2, memory: 5.5 },
    ],
    limits: { hours: 6.5, money: 12, attempts: 5 },
    parameters: { rate: 0.001, layers: [64, 64], on: true, note: null, deep: { a: [{}] } },
    regions: ['europe-west4'],
  });
  expect(runOf(job)).toEqual({ run: 'notebook', target: 'notebooks/train.ipynb' });
  // What was read can be written and is read again as the same.
  expect(parseJob(JSON.stringify(job))).toEqual(job);
  expect(Job.parse(job)).toEqual(job);
});

test.each([
  ['a missing name', without('name'), 'name: is missing; expected a text'],
  [
    'a misspelt field',
    `${smallest}acelerators: [L4]`,
    'the job: there is no field “acelerators”; did you mean “accelerators”?',
  ],
  [
    'a misspelt field further down',
    `${smallest}limits: { hour: 3 }`,
    'limits: there is no field “hour”; did you mean “hours”?',
  ],
  [
    'a field that nobody knows',
    `${smallest}zzzzzz: 1`,
    /^the job: there is no field “zzzzzz”; expected one of name, /,
  ],
  [
    'a word for a number',
    `${smallest}limits: { hours: six }`,
    /^limits\.hours: “six”: expected hours, from 0\.0084/,
  ],
  ['no time', `${smallest}limits: { hours: 0 }`, /^limits\.hours: “0”: expected hours/],
  [
    'more than 120 days',
    `${smallest}limits: { hours: 2881 }`,
    /^limits\.hours: “2881”: expected hours.*120 days/,
  ],
  ['no number', `${smallest}limits: { hours: .nan }`, /^limits\.hours: .*expected hours/],
  ['no money', `${smallest}limits: { money: -1 }`, /^limits\.money: “-1”: expected US dollars/],
  [
    'half an attempt',
    `${smallest}limits: { attempts: 1.5 }`,
    /^limits\.attempts: “1\.5”: expected a whole number from 1 to 50/,
  ],
  [
    'nothing to run',
    without('command'),
    'the job: expected exactly one of notebook, script, command; there is none',
  ],
  [
    'two things to run',
    `${smallest}script: fit.py`,
    'the job: expected exactly one of notebook, script, command; there is script and command',
  ],
  ['arguments of nothing', `${smallest}arguments: [--fast]`, 'arguments: only a script has arguments'],
  [
    'a notebook that is none',
    `${without('command')}notebook: fit.py`,
    'notebook: “fit.py”: expected a path that ends in .ipynb',
  ],
  [
    'an unknown GPU',
    `${smallest}accelerators: [L4, A10O]`,
    /^accelerators\[1\]: “A10O”: expected a GPU.*did you mean “A100”\?$/,
  ],
  [
    'a GPU that is called like what every object has',
    `${smallest}accelerators: [constructor]`,
    /^accelerators\[0\]: “constructor”: expected a GPU/,
  ],
  [
    'an unknown GPU in full',
    `${smallest}accelerators: [{ gpu: L5 }]`,
    /^accelerators\[0\]\.gpu: “L5”: expected one of T4, .*did you mean “L4”\?$/,
  ],
  [
    'a count that does not exist',
    `${smallest}accelerators: [L4:3]`,
    'accelerators[0]: “L4:3”: expected 1, 2, 4, 8 for L4',
  ],
  [
    'that in full',
    `${smallest}accelerators: [{ gpu: H200, count: 1 }]`,
    'accelerators[0].count: “1”: expected 8 for H200',
  ],
  [
    'a TPU with several hosts',
    `${smallest}accelerators: [v5litepod-16]`,
    /^accelerators\[0\].*a job runs on one machine/,
  ],
  [
    'too much memory',
    `${smallest}accelerators: [{ cpu: 4, memory: 5000 }]`,
    'accelerators[0].memory: “5000”: expected gigabytes, from 1 to 624',
  ],
  ['no accelerator at all', `${smallest}accelerators: []`, 'accelerators: is empty; expected at least one'],
  [
    'a misspelt word',
    `${smallest}spot: prefered`,
    'spot: “prefered”: expected never, prefer, only; did you mean “prefer”?',
  ],
  [
    'two environments',
    `${smallest}environment: { pip: a.txt, conda: b.yml }`,
    'environment: expected exactly one of pip, conda, container',
  ],
  [
    'an image that is none',
    `${smallest}environment: { container: "-v /:/host x" }`,
    /^environment\.container: “-v \/:\/host x”: expected the name of an image/,
  ],
  [
    'another bucket',
    `${smallest}inputs: [state/jobs/]`,
    /^inputs\[0\]: “state\/jobs\/”: expected raw\/… or derived\/…/,
  ],
  [
    'another bucket in full',
    `${smallest}inputs: [{ bucket: state, prefix: jobs/ }]`,
    'inputs[0].bucket: “state”: expected raw, derived',
  ],
  [
    'results over inputs',
    `${smallest}inputs: [raw/a/]\nresults: [raw]`,
    'results[0]: “raw”: it overlaps with the inputs in “raw/a”; expected another folder',
  ],
  [
    'a path out of the tree',
    `${smallest}results: [../other]`,
    /^results\[0\]: “\.\.\/other”: expected a path in the working tree/,
  ],
  ['that in the middle', `${smallest}checkpoints: a/../../b`, /^checkpoints: .*expected a path/],
  [
    'that in an input',
    `${smallest}inputs: [raw/../state]`,
    /^inputs\[0\].*expected the beginning of object names/,
  ],
  [
    'an absolute path',
    `${without('command')}script: /etc/passwd`,
    /^script: “\/etc\/passwd”: expected a path in the repository/,
  ],
  ['an option for a path', `${without('command')}script: -c`, /^script: “-c”: expected a path/],
  [
    'an option for a ref',
    `${smallest}ref: --upload-pack=evil`,
    'ref: “--upload-pack=evil”: expected a branch, a tag or a commit',
  ],
  ['a range for a ref', `${smallest}ref: a..b`, /^ref: “a\.\.b”: expected a branch/],
  [
    'a region that is a zone',
    `${smallest}regions: [europe-west4-a]`,
    /^regions\[0\]: “europe-west4-a”: expected the name of a region/,
  ],
  [
    'control characters',
    `${smallest}ref: "a\\u0007b"`,
    'ref: “a�b”: expected one line without control characters',
  ],
  [
    'a command that reads backwards',
    `${without('command')}command: "rm \\u202eton"`,
    /^command: .*expected a text without control characters/,
  ],
  ['a list for a text', `${without('name')}name: [a]`, 'name: expected a text'],
])('%s: the line names the field, the value and what would be accepted', (_what, text, line) => {
  const lines = linesOf(text);
  const matching = lines.filter((one) => (typeof line === 'string' ? one === line : line.test(one)));
  expect({ lines, matching }).toMatchObject({ matching: [expect.any(String)] });
});

test.each([
  ['http', 'http://github.com/lab/analysis', /expected https:\/\/…/],
  ['ssh', 'git@github.com:lab/analysis.git', /expected https:\/\/…/],
  ['no host', 'https:///lab', /expected https:\/\/…/],
  ['no repository', 'https://github.com', /expected https:\/\/…/],
  ['a helper of git', 'ext::sh -c evil', /expected https:\/\/…/],
  ['a folder', 'file:///home/me/analysis', /expected https:\/\/…/],
  ['a question', 'https://github.com/lab/analysis?token=1', /without \? and #/],
])('a repository by %s is refused', (_what, repository, reason) => {
  const lines = linesOf(smallest.replace(/repository: .*/, `repository: ${JSON.stringify(repository)}`));
  expect(lines).toEqual([expect.stringMatching(reason)]);
});

test('a password in an address is refused, and not repeated', () => {
  const [line = '', ...others] = linesOf(smallest.replace('https://', 'https://me:secret@'));
  expect(line).toMatch(
    /^repository: “https:\/\/…@github\.com\/lab\/analysis”: holds a user name or password/,
  );
  expect(others).toEqual([]);
  expect(line).not.toContain('secret');
});

test('a folder is a repository only where that is allowed', () => {
  const text = smallest.replace(/repository: .*/, 'repository: file:///home/me/analysis');
  expect(linesOf(text)).toHaveLength(1);
  expect(parseJob(text, { allowFile: true }).repository).toBe('file:///home/me/analysis');
  expect(linesOf(text.replace('file:///', 'file://host/'), { allowFile: true })).toHaveLength(1);
});

test('all that is wrong is said at once', () => {
  expect(linesOf('nam: x\nspot: maybe\ndisk: 1\n')).toHaveLength(5);
});

const bomb = Array.from({ length: 30 }, (_, i) =>
  i === 0 ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]' : `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`,
).join('\n');

test.each([
  ['nothing', '', /the job: “null”: expected fields/],
  ['a text', 'please', /the job: “please”: expected fields/],
  ['a list', '[]', /expected fields/],
  ['what is not YAML', 'name: [unclosed', /^line 1, column \d+: /],
  ['a field twice', `${smallest}name: Second`, /^line 4, column 1: Map keys must be unique/],
  ['two documents', `${smallest}---\n${smallest}`, /document/],
  ['a tag', `${smallest}parameters: { a: !!js/function "x" }`, /Unresolved tag/],
  ['aliases that multiply', bomb, /alias/],
  ['an alias of itself', `${smallest}parameters: &a { b: *a }`, /./],
  ['brackets without end', '['.repeat(60_000), /nested too deeply/],
  [
    'deep parameters',
    `${smallest}parameters: { a: ${'['.repeat(100)}${']'.repeat(100)} }`,
    /^parameters\.a\[0\]: it is nested too deeply/,
  ],
  ['a key of every object', `${smallest}__proto__: { spot: never }`, /^__proto__: this name cannot be used/],
  [
    'that among the parameters',
    `${smallest}parameters: { a: { __proto__: 1 } }`,
    /^parameters\.a\.__proto__: this name/,
  ],
  ['a number that JSON has not', `${smallest}parameters: { a: .inf }`, /^parameters/],
  ['a megabyte', `${smallest}#${'x'.repeat(1 << 20)}`, /larger than 65536 bytes/],
  ['an image', '\u0089PNG\r\n\u001a\n', /./],
])('%s is refused in words', (_what, text, line) => {
  const lines = linesOf(text);
  expect(lines[0]).toMatch(line);
  expect(lines.join('').length).toBeLessThan(10_000);
});

test('whatever is sent, the answer is a job or an InvalidJob, and no line has a control character', () => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary', maxLength: 30 }));
  const names = Object.keys(jobSchema().shape);
  const some = fc.dictionary(fc.oneof(fc.constantFrom(...names, '__proto__'), fc.string()), value);
  fc.assert(
    fc.property(
      fc.oneof(
        some.map((job) => JSON.stringify(job)),
        fc.string({ unit: 'binary' }),
      ),
      (text) => {
        for (const line of linesOf(text)) expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
      },
    ),
    { numRuns: 200 },
  );
});

test('the schema can be shown as JSON Schema, with a word on each field', () => {
  const schema = z.toJSONSchema(jobSchema(), { io: 'input', unrepresentable: 'any' });
  const properties = Object.entries(schema.properties ?? {});
  expect(properties.length).toBeGreaterThan(15);
  for (const [name, field] of properties) expect({ name, ...Object(field) }).toHaveProperty('description');
  expect(schema.required).toEqual(['name', 'repository']);
});

test.each([
  ['Fixations of study 3', /^fixations-of-study-3-[0-9a-f]{8}$/],
  ['  Größe & Länge!  ', /^gro-e-lange-[0-9a-f]{8}$/],
  ['3rd try', /^rd-try-[0-9a-f]{8}$/],
  ['眼球', /^job-[0-9a-f]{8}$/],
  ['x'.repeat(80), /^x{31}-[0-9a-f]{8}$/],
])('the id of %j is fit for the name of a machine', (name, id) => {
  expect(jobId(name, 'key')).toMatch(id);
  expect(jobId(name, 'key')).toBe(jobId(name, 'key'));
  expect(jobId(name, 'key')).not.toBe(jobId(name, 'other key'));
});

test('every id is fit for the name of a machine', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (name, key) => {
      expect(jobId(name, key)).toMatch(jobIdPattern);
    }),
  );
});

test('the order of fields does not change the digest, and every value does', () => {
  const job = parseJob(`${smallest}parameters: { b: 1, a: 2, "10": 3, "9": 4 }`);
  const turned = Object.fromEntries(Object.entries(job).reverse()) as Job;
  expect(jobDigest(turned)).toBe(jobDigest(job));
  expect(jobDigest({ ...job, spot: 'never' })).not.toBe(jobDigest(job));
  expect(jobDigest({ ...job, results: ['a', 'b'] })).not.toBe(jobDigest({ ...job, results: ['b', 'a'] }));
});
