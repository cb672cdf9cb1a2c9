import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import type { Finding } from '../../shared/drive/compare.ts';
import { walk } from '../../shared/sync/walk.ts';
import { connect, type Where } from '../connect.ts';
import { openProgressBar } from '../progressBar.ts';
import { openSync } from './open.ts';

export type VerifyOptions = Where & { combined?: true; json?: true };

type Class = Finding['is'];

/** As `rclone check --combined` writes them (https://rclone.org/commands/rclone_check/); it knows no skipped ones. */
const marks: Record<Class, string> = {
  identical: '=',
  missing: '+',
  extra: '-',
  different: '*',
  error: '!',
  skipped: '~',
};

/** @returns the exit code: 0 if all is identical or left out on purpose, 1 if something differs, 2 if something failed */
export async function verify({ combined, json, ...where }: VerifyOptions): Promise<number> {
  await connect(where);
  const sync = await openSync();
  const counts: Record<Class, number> = {
    identical: 0,
    missing: 0,
    extra: 0,
    different: 0,
    error: 0,
    skipped: 0,
  };
  const bar = openProgressBar();
  let files = 0;
  try {
    for await (const { findings, done, left } of walk(sync)) {
      const lines = findings.flatMap((finding) => lineOf(finding) ?? []);
      if (lines.length > 0) {
        bar.end();
        console.log(lines.join('\n'));
      }
      for (const { is } of findings) counts[is]++;
      files += findings.length;
      bar.show(done, done + left, `folders, ${files} files`);
    }
  } finally {
    bar.end();
  }
  if (json) console.log(JSON.stringify({ summary: counts }));
  else if (!combined) console.log(summaryOf(counts));
  if (counts.error > 0) return 2;
  return counts.missing + counts.extra + counts.different > 0 ? 1 : 0;

  function lineOf({ is, name, because }: Finding): string | undefined {
    if (json) return JSON.stringify({ is, name, ...(because ? { because } : {}) });
    if (combined) return `${marks[is]} ${clean(name)}`;
    if (is === 'identical') return undefined;
    const colour = is === 'error' ? pc.red : is === 'skipped' ? pc.dim : pc.yellow;
    return `${colour(is.padEnd(9))} ${clean(name)}  ${pc.dim(clean(because))}`;
  }
}

function summaryOf(counts: Record<Class, number>): string {
  const { identical, skipped, ...bad } = counts;
  const wrong = Object.entries(bad).flatMap(([is, count]) => (count > 0 ? [`${count} ${is}`] : []));
  const all = `${identical} identical${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return wrong.length === 0
    ? `${pc.green('✓')} The bucket is as the study folder is: ${all}.`
    : `${pc.red('✗')} The bucket is not as the study folder is: ${wrong.join(', ')}; ${all}.`;
}
