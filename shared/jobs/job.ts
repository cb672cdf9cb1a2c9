import * as z from 'zod';
import { Accelerator, cpuOnly } from './accelerator.ts';
import { fields, hand, oneOf, wholeNumber } from './fields.ts';
import { folderIn, gitRef, imageName, isPathIn, line, lines, pathIn, repositoryUrl } from './text.ts';

/** A list, or the one thing that would be in it. */
export const listOf = <T extends z.ZodType>(schema: T, most: number, least = 1) =>
  z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(schema).min(least, 'is empty; expected at least one').max(most, `expected at most ${most}`),
  );

const folder = folderIn('working tree');

const Environment = fields({
  pip: pathIn('repository').optional().describe('A requirements.txt in the repository.'),
  conda: pathIn('repository')
    .regex(/\.ya?ml$/, 'expected a path that ends in .yml or .yaml')
    .optional()
    .describe('An environment.yml in the repository.'),
  container: imageName.optional().describe('An image that the work runs in.'),
}).refine((environment) => Object.values(environment).filter((one) => one !== undefined).length === 1, {
  error: 'expected exactly one of pip, conda, container',
});

const prefix = z
  .string('expected the beginning of object names, as recordings/')
  .max(500, 'is too long; expected at most 500 characters')
  .refine(
    (text) => text === '' || (line(500).safeParse(text).success && isPathIn(text)),
    'expected the beginning of object names, as recordings/: not absolute, no “..”',
  );
const InputInFull = fields({
  bucket: oneOf(['raw', 'derived']).describe(
    'raw: what lies in the study folder. derived: what was computed.',
  ),
  prefix: prefix.describe('All objects whose names begin so; empty for the whole bucket.'),
  folder: folder.optional().describe('Where they are put in the working tree.'),
});
export type Input = { bucket: 'raw' | 'derived'; prefix: string; folder: string };

/** In the working tree they lie where the person wrote that they are: `raw/recordings/` in `raw/recordings`. */
export const Input = z.unknown().transform((written, context): Input => {
  const [, bucket, rest] =
    typeof written === 'string' ? (/^(raw|derived)(?:\/(.*))?$/s.exec(written) ?? []) : [];
  if (typeof written !== 'object' && !bucket) {
    context.addIssue(
      'expected raw/… or derived/…, as raw/recordings/, or {bucket: raw, prefix: recordings/}',
    );
    return z.NEVER;
  }
  const input = hand(InputInFull, bucket ? { bucket, prefix: rest ?? '' } : written, context);
  if (input === z.NEVER) return z.NEVER;
  return { ...input, folder: input.folder ?? `${input.bucket}/${input.prefix}`.replace(/\/$/, '') };
});

/** Of a machine: 30 seconds to 120 days. https://cloud.google.com/compute/docs/instances/limit-vm-runtime */
export const leastSeconds = 30;
export const mostHours = 120 * 24;
const hours = `expected hours, from ${Math.ceil((leastSeconds / 3600) * 10_000) / 10_000} (30 seconds) to ${mostHours} (120 days)`;
const money = 'expected US dollars, from 0.01 to 1000000';

const Limits = fields({
  hours: z
    .number(hours)
    .min(leastSeconds / 3600, hours)
    .max(mostHours, hours)
    .default(6)
    .describe('Hours that its machines may run, all attempts together.'),
  money: z
    .number(money)
    .min(0.01, money)
    .max(1_000_000, money)
    .optional()
    .describe('US dollars that it may cost by list price, all attempts together.'),
  attempts: wholeNumber(1, 50)
    .default(3)
    .describe(
      'How many machines may be tried one after the other, for instance because they were preempted.',
    ),
});

export const region = line(40).regex(
  /^[a-z]+-[a-z]+\d{1,2}$/,
  'expected the name of a region, as europe-west4',
);

const schemaOf = (allowFile: boolean) =>
  fields({
    name: line(80)
      .regex(/[\p{L}\p{N}]/u, 'expected a name with a letter or digit')
      .describe('What people call it.'),
    repository: repositoryUrl(allowFile).describe(
      'Where the code is: a Git repository that needs no password.',
    ),
    ref: gitRef.default('HEAD').describe('Branch, tag or commit.'),
    notebook: pathIn('repository')
      .regex(/\.ipynb$/, 'expected a path that ends in .ipynb')
      .optional()
      .describe('A notebook in the repository; it is executed, and the executed copy is among the results.'),
    script: pathIn('repository').optional().describe('A program in the repository.'),
    arguments: z
      .array(
        z.preprocess(
          (value) => (typeof value === 'number' ? String(value) : value),
          line(2000).or(z.literal('')),
        ),
      )
      .max(200, 'expected at most 200')
      .optional()
      .describe('Arguments of the script.'),
    command: lines(10_000).optional().describe('A command line for bash.'),
    environment: Environment.optional().describe('What is installed before it runs.'),
    inputs: listOf(Input, 100, 0)
      .default([])
      .describe('What is copied to the machine: raw/recordings/, or {bucket, prefix, folder}.'),
    results: listOf(folder, 20).default(['results']).describe('Folders whose files are its results.'),
    accelerators: listOf(Accelerator, 20)
      .default([cpuOnly])
      .describe('What it may run on, the best first: L4, A100:2, v5litepod-4, cpu, {cpu: 4, memory: 16}.'),
    spot: oneOf(['never', 'prefer', 'only'])
      .default('prefer')
      .describe('Machines that are cheaper and may be taken away at any time.'),
    limits: Limits.prefault({}).describe('Where it ends at the latest.'),
    checkpoints: folder
      .optional()
      .describe('A folder that is saved while it runs, and is there again in the next attempt.'),
    parameters: z
      .record(z.string().min(1).max(200), z.json(), 'expected names with values')
      .default({})
      .describe('Parameters of the notebook; others find them in the file that GAZELINE_PARAMETERS names.'),
    disk: wholeNumber(10, 10_000).default(100).describe('Gigabytes of the disk.'),
    regions: listOf(region, 60).optional().describe('The only regions where it may run.'),
  }).superRefine((job, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const runs = ways.filter((way) => job[way] !== undefined);
    if (runs.length !== 1)
      issue([], `expected exactly one of ${ways.join(', ')}; there is ${runs.join(' and ') || 'none'}`);
    if (job.arguments && !job.script) issue(['arguments'], 'only a script has arguments');
    // Otherwise the inputs would be uploaded as results.
    for (const [index, result] of job.results.entries())
      for (const { folder } of job.inputs)
        if (isWithin(folder, result) || isWithin(result, folder))
          issue(
            ['results', String(index)],
            `it overlaps with the inputs in “${folder}”; expected another folder`,
          );
  });

const ways = ['notebook', 'script', 'command'] as const;
const isWithin = (folder: string, other: string) => `${folder}/`.startsWith(`${other}/`);

const withoutFile = schemaOf(false);

/** A job as it is kept: a path of files on this machine was refused or allowed when it came. */
export const Job = schemaOf(true);
export type Job = z.infer<typeof Job>;

/** A piece of heavy work, as a person writes it. What is left out has the default that is given here. */
export const jobSchema = ({ allowFile = false } = {}) => (allowFile ? Job : withoutFile);

/** What is run, and how. */
export function runOf(job: Job): { run: (typeof ways)[number]; target: string } {
  const run = ways.find((way) => job[way] !== undefined);
  const target = run && job[run];
  if (!run || !target) throw new Error(`the job ${job.name} says nothing to run`);
  return { run, target };
}
