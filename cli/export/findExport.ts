import { type ExportRun, exportFolder, readExportRun } from '../../shared/export/exportRun.ts';
import { Refusal } from '../../shared/refusal.ts';
import type { Records } from '../../shared/storage/records.ts';

const shown = 5;

/**
 * The export with this id, or the only one whose id begins so.
 * @throws Refusal if there is none, or more than one
 */
export async function findExport(records: Records, written: string): Promise<ExportRun> {
  const ids: string[] = [];
  if (/^[-a-z0-9]{1,40}$/.test(written))
    for await (const name of records.list(`${exportFolder}${written}`)) {
      ids.push(name.slice(exportFolder.length, -'.json'.length));
      if (ids.length > shown) break;
    }
  const [id, ...others] = ids;
  if (others.length > 0)
    throw new Refusal(`Several exports begin so: ${ids.slice(0, shown).join(', ')}. Write more of the ID.`);
  const run = id ? await readExportRun(records, id) : undefined;
  if (run) return run;
  throw new Refusal(`There is no export ${written.slice(0, 100)}. npx gazeline export list shows all.`);
}
