import { type HearDependencies, hearReport } from '../shared/jobs/hearReport.ts';
import { reportNamed } from '../shared/jobs/report.ts';
import type { ObjectArrived } from '../shared/trigger.ts';

/** Something arrived in the derived bucket. If it is the report of a machine, its job is told. */
export async function jobEvent(
  { name, generation }: ObjectArrived,
  dependencies: HearDependencies,
): Promise<void> {
  const named = reportNamed(name);
  if (named) await hearReport(named, generation, dependencies);
}
