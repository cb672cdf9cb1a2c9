import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { sizeOf } from '../../shared/sizeOf.ts';
import { dryRun } from '../../shared/sync/dryRun.ts';
import type { Entry } from '../../shared/sync/entries.ts';
import { connect, type Where } from '../connect.ts';
import { openProgressBar } from '../progressBar.ts';
import { openSync } from './open.ts';

export type PlanOptions = Where & { json?: true };

/** @returns the exit code: 0 whether or not there is something to do, 2 if a part of the tree could not be looked at */
export async function plan({ json, ...where }: PlanOptions): Promise<number> {
  await connect(where);
  const sync = await openSync();
  const counts: Partial<Record<Entry['do'], number>> = {};
  let bytes = 0;
  let looked = 0;
  let errors = 0;
  let pending = { state: 'unknown', changes: 0 };
  const bar = openProgressBar();
  try {
    for await (const part of dryRun(sync)) {
      const lines = json
        ? [...part.entries, ...part.errors.map(({ name, because }) => ({ do: 'error', name, because }))].map(
            (entry) => JSON.stringify(entry),
          )
        : [
            ...part.entries.map(lineOf),
            ...part.errors.map(({ name, because }) => pc.red(clean(`error     ${name}  ${because}`))),
          ];
      if (lines.length > 0) {
        bar.end();
        console.log(lines.join('\n'));
      }
      for (const entry of part.entries) {
        counts[entry.do] = (counts[entry.do] ?? 0) + 1;
        bytes += entry.bytes ?? 0;
      }
      errors += part.errors.length;
      looked = part.looked;
      pending = { state: part.pending.state, changes: part.pending.changes.size };
      bar.show(part.done, part.done + part.left, `folders, ${looked} files`);
    }
  } finally {
    bar.end();
  }
  if (json) console.log(JSON.stringify({ summary: { ...counts, errors, bytes, looked, pending } }));
  else console.log(summaryOf());
  return errors > 0 ? 2 : 0;

  function summaryOf(): string {
    const feed =
      pending.state === 'unknown'
        ? 'The change feed begins anew with the next drain.'
        : `Changes that wait in the feed: ${pending.changes}.`;
    const { skip = 0, leave = 0, ...work } = counts;
    const parts = Object.entries(work).map(([verb, count]) => `${count} to ${verb}`);
    const alone = skip + leave > 0 ? ` Left alone: ${skip + leave}.` : '';
    if (parts.length === 0)
      return `${pc.green('✓')} Nothing is to be done for ${looked} files.${alone} ${feed}`;
    const size = bytes > 0 ? ` (${sizeOf(bytes)} from Drive)` : '';
    return `Of ${looked} files: ${parts.join(', ')}${size}.${alone} ${feed}\nNothing was written. It is done by: npx gazeline sync now`;
  }
}

const colours: Partial<Record<Entry['do'], (text: string) => string>> = {
  upload: pc.green,
  rename: pc.cyan,
  restore: pc.cyan,
  describe: pc.cyan,
  retire: pc.red,
  hold: pc.yellow,
  wait: pc.yellow,
};

function lineOf({ do: verb, name, because, bytes, from }: Entry): string {
  const colour = colours[verb] ?? pc.dim;
  const what = [bytes === undefined ? '' : sizeOf(bytes), from === undefined ? '' : `from ${from}`, because];
  return `${colour(verb.padEnd(9))} ${clean(name)}  ${pc.dim(clean(what.filter(Boolean).join(', ')))}`;
}
