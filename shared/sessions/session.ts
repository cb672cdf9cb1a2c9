import * as z from 'zod';
import { clean } from '../clean.ts';
import { Accelerator, cpuOnly } from '../jobs/accelerator.ts';
import { fields, oneOf, wholeNumber } from '../jobs/fields.ts';
import { Input, listOf, region } from '../jobs/job.ts';
import { jobIdPattern } from '../jobs/jobId.ts';
import { gitRef, line, repositoryUrl } from '../jobs/text.ts';
import { type GpuName, gpuOf } from '../machines/accelerators.ts';
import { shapeOf } from '../machines/machineTypes.ts';
import { Unprocessable } from '../unprocessable.ts';
import { imageNames } from './images.ts';

/** Of Workbench. https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/AcceleratorType */
const gpusOfWorkbench: GpuName[] = ['T4', 'P4', 'V100', 'L4', 'A100', 'A100-80GB'];

const hours = 'expected hours, from 0.1 to 168 (a week)';

const schemaOf = (allowFile: boolean) =>
  fields({
    name: line(40)
      .regex(jobIdPattern, 'expected lower-case letters, digits and -, beginning with a letter')
      .describe('What people call it; no other session of the lab has it.'),
    accelerators: listOf(Accelerator, 20)
      .default([cpuOnly])
      .describe('What it may run on, the best first: L4, A100:2, cpu, {cpu: 4, memory: 16}. No TPU.'),
    machine: line(40)
      .refine((type) => shapeOf(type) !== undefined, 'expected a machine type, as n1-standard-16')
      .optional()
      .describe('The machine type, where the usual one of its accelerator is too small or too large.'),
    image: oneOf(imageNames)
      .default('workbench')
      .describe(
        'workbench: Jupyter with the usual libraries. container, container-slim: the same in a container.',
      ),
    disk: wholeNumber(10, 10_000)
      .default(100)
      .describe('Gigabytes of the disk that the work lies on. It is kept when the session is stopped.'),
    repository: repositoryUrl(allowFile)
      .optional()
      .describe('A Git repository that needs no password. It is cloned once, and then the person’s own.'),
    ref: gitRef.default('HEAD').describe('Branch, tag or commit.'),
    data: listOf(Input, 20, 0)
      .default([])
      .describe('What is copied to the machine at each start: raw/recordings/, or {bucket, prefix, folder}.'),
    idleMinutes: wholeNumber(10, 1440)
      .default(60)
      .describe('It is stopped when nothing has happened for so long.'),
    hours: z
      .number(hours)
      .min(0.1, hours)
      .max(168, hours)
      .default(10)
      .describe('It is stopped after so long, counted from each start.'),
    regions: listOf(region, 60).optional().describe('The only regions where it may be.'),
  }).superRefine(({ accelerators, machine }, context) => {
    for (const [index, one] of accelerators.entries()) {
      const problem = problemOf(one, machine);
      if (problem) context.addIssue({ code: 'custom', path: ['accelerators', index], message: problem });
    }
  });

/** A notebook machine of Workbench is a virtual machine with at most one kind of GPU. */
function problemOf(wanted: Accelerator, machine: string | undefined): string | undefined {
  if ('tpu' in wanted) return 'a session has no TPU; submit a job';
  if ('cpu' in wanted)
    return machine && !/^(e2|n1)-/.test(machine)
      ? `a ${machine} comes with GPUs; say which, or ask for another machine`
      : undefined;
  if (!gpusOfWorkbench.includes(wanted.gpu))
    return `Workbench has no ${wanted.gpu}; expected one of ${gpusOfWorkbench.join(', ')}, or submit a job`;
  const { attached, machines } = gpuOf(wanted.gpu);
  const usual = machines[wanted.count];
  if (!machine || machine === usual) return undefined;
  if (!attached) return `${wanted.gpu} comes with ${usual} only; leave “machine” out`;
  return machine.startsWith('n1-') ? undefined : `${wanted.gpu} is attached to an n1 machine only`;
}

const withoutFile = schemaOf(false);
/** A session as it is kept. */
export const Session = schemaOf(true);
export type Session = z.infer<typeof Session>;

/** A session as a person asks for it. What is left out has the default that is given here. */
export const sessionSchema = ({ allowFile = false } = {}) => (allowFile ? Session : withoutFile);

/** Each line names the field and what would be accepted. */
export class InvalidSession extends Unprocessable {
  override name = 'InvalidSession';
  readonly lines: string[];
  constructor(lines: string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** @throws InvalidSession */
export function readWish(value: unknown, options: { allowFile?: boolean } = {}): Session {
  const session = sessionSchema(options).safeParse(value);
  if (session.success) return session.data;
  throw new InvalidSession(
    session.error.issues.map(
      ({ path, message }) => `${path.length > 0 ? clean(path.join('.')) : 'the session'}: ${clean(message)}`,
    ),
  );
}
