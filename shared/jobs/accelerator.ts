import * as z from 'zod';
import {
  countsOf,
  type GpuName,
  gpuNamed,
  gpuNames,
  isLargerTpu,
  type TpuName,
  tpuNamed,
  tpuNames,
} from '../machines/accelerators.ts';
import { didYouMean } from './didYouMean.ts';
import { fields, hand, wholeNumber } from './fields.ts';

const gpuName = z.string(`expected one of ${gpuNames.join(', ')}`).transform((text, context): GpuName => {
  const name = gpuNamed(text);
  if (name) return name;
  const meant = didYouMean(text, gpuNames);
  context.addIssue(`expected one of ${gpuNames.join(', ')}${meant ? `; did you mean “${meant}”?` : ''}`);
  return z.NEVER;
});

const tpuName = z.string(`expected one of ${tpuNames.join(', ')}`).transform((text, context): TpuName => {
  const name = tpuNamed(text);
  if (name) return name;
  const larger = isLargerTpu(text)
    ? 'a job runs on one machine, and this has several or does not exist; '
    : '';
  context.addIssue(`${larger}expected one of ${tpuNames.join(', ')}`);
  return z.NEVER;
});

const Gpu = fields({ gpu: gpuName, count: wholeNumber(1, 16).default(1) }).superRefine(
  ({ gpu, count }, context) => {
    const counts = countsOf(gpu);
    if (!counts.includes(count))
      context.addIssue({
        code: 'custom',
        path: ['count'],
        message: `expected ${counts.join(', ')} for ${gpu}`,
      });
  },
);
const Tpu = fields({ tpu: tpuName });

/** The largest machine that is looked for is n1-highmem-96. */
export const mostCpu = 96;
export const mostMemory = 624;
const memory = `expected gigabytes, from 1 to ${mostMemory}`;
const Cpu = fields({
  cpu: wholeNumber(1, mostCpu),
  memory: z.number(memory).min(1, memory).max(mostMemory, memory).optional(),
}).transform(({ cpu, memory }) => ({ cpu, memory: memory ?? Math.min(4 * cpu, mostMemory) }));

export type Accelerator =
  | { gpu: GpuName; count: number }
  | { tpu: TpuName }
  /** No accelerator: vCPUs, and gigabytes of memory. */
  | { cpu: number; memory: number };

export const cpuOnly: Accelerator = { cpu: 4, memory: 16 };

const forms = 'expected a GPU as “L4” or “A100:2”, a TPU as “v5litepod-4”, or “cpu” or {cpu: 4, memory: 16}';

/** `L4`, `A100:2`, `v5litepod-4`, `cpu`, `cpu:8`, or the same in full. */
export const Accelerator = z.unknown().transform((written, context): Accelerator => {
  const value = typeof written === 'string' ? inFull(written) : written;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (Object.hasOwn(value, 'gpu')) return hand<Accelerator>(Gpu, value, context);
    if (Object.hasOwn(value, 'tpu')) return hand<Accelerator>(Tpu, value, context);
    if (Object.hasOwn(value, 'cpu')) return hand<Accelerator>(Cpu, value, context);
  }
  const names = [...gpuNames, ...tpuNames, 'cpu'];
  const meant = typeof written === 'string' ? didYouMean(written.replace(/:\d+$/, ''), names) : undefined;
  context.addIssue(`${forms}${meant ? `; did you mean “${meant}”?` : ''}`);
  return z.NEVER;
});

function inFull(text: string): unknown {
  const [, name = '', number] = /^\s*([\w-]{1,50})(?::(\d{1,3}))?\s*$/.exec(text) ?? [];
  const count = number === undefined ? 1 : Number(number);
  if (/^cpu$/i.test(name)) return number === undefined ? cpuOnly : { cpu: count };
  if (gpuNamed(name)) return { gpu: name, count };
  if (isLargerTpu(name) && number === undefined) return { tpu: name };
  return text;
}
