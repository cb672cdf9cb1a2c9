import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import type { Attempt } from '../../shared/jobs/jobRecord.ts';
import { sizeOf } from '../../shared/sizeOf.ts';
import { cleanLine } from './cleanLine.ts';
import { localTime } from './localTime.ts';
import { row } from './row.ts';

/** What the last machine that was heard has said last. */
export function reportLines(attempts: Attempt[]): string[] {
  const heard = attempts.findLast(({ report }) => report);
  if (!heard?.report) return [];
  const { phase, sequence, cpu, gpu, freeDisk, checkpoint, lastLines, exitCode } = heard.report;
  const use = [
    ...(cpu === undefined ? [] : [`CPU ${percent(cpu)}`]),
    ...(gpu ?? []).map(({ name, use, memory }) => `${name} ${percent(use)}, ${sizeOf(memory)} of its memory`),
    ...(freeDisk === undefined ? [] : [`${sizeOf(freeDisk)} of the disk free`]),
  ];
  return [
    '',
    `${pc.bold('Last report')}  ${phase}, number ${sequence} of attempt ${heard.number}${heard.heardAt ? `, at ${localTime(heard.heardAt)}` : ''}`,
    ...(use.length > 0 ? [row('use', clean(use.join('; ')))] : []),
    ...(exitCode === undefined ? [] : [row('exit code', String(exitCode))]),
    ...(checkpoint ? [row('checkpoint', clean(checkpoint))] : []),
    ...(lastLines ?? '')
      .split('\n')
      .filter(Boolean)
      .map((line) => pc.dim(`  │ ${cleanLine(line)}`)),
  ];
}

const percent = (share: number) => `${Math.round(100 * share)} %`;
