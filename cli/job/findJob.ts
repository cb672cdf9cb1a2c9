import { readJobRecord } from '../../shared/jobs/changeJob.ts';
import { jobIdPattern } from '../../shared/jobs/jobId.ts';
import type { JobRecord } from '../../shared/jobs/jobRecord.ts';
import { Refusal } from '../../shared/refusal.ts';
import type { Records } from '../../shared/storage/records.ts';

const folder = 'jobs/';
const shown = 5;

/**
 * The job with this id, or the only one whose id begins so.
 * @throws Refusal if there is none, or more than one
 */
export async function findJob(records: Records, written: string): Promise<JobRecord> {
  const beginning = written.trim();
  if (!/^[a-z][-a-z0-9]{0,39}$/.test(beginning))
    throw new Refusal(`There is no job ${written.slice(0, 100)}. ${hint}`);
  const whole = jobIdPattern.test(beginning) ? await readJobRecord(records, beginning) : undefined;
  if (whole) return whole;
  const ids: string[] = [];
  for await (const name of records.list(`${folder}${beginning}`)) {
    ids.push(name.slice(folder.length, -'.json'.length));
    if (ids.length > shown) break;
  }
  const [id, ...others] = ids;
  if (id === undefined) throw new Refusal(`There is no job ${beginning}. ${hint}`);
  if (others.length > 0) {
    const more = ids.length > shown ? ', …' : '';
    throw new Refusal(
      `Several jobs begin so: ${ids.slice(0, shown).join(', ')}${more}. Write more of the ID.`,
    );
  }
  const found = await readJobRecord(records, id);
  if (!found) throw new Refusal(`There is no job ${id} any more.`);
  return found;
}

const hint = 'npx gazeline job list --all shows them.';
