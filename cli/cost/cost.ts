import { costReport } from '../../shared/budget/costReport.ts';
import { clients } from '../../shared/clients.ts';
import { config } from '../../shared/config.ts';
import { Refusal } from '../../shared/refusal.ts';
import { recordsIn } from '../../shared/storage/records.ts';
import { connect, type Where } from '../connect.ts';
import { costWords } from './costWords.ts';

export type CostOptions = Where & { json?: true; all?: true };

/** @returns the exit code */
export async function cost({ json, all, ...where }: CostOptions): Promise<number> {
  await connect(where);
  const { stateBucket } = config();
  const records = recordsIn(await clients.storage(), stateBucket);
  const report = await costReport(records, config());
  if (!report)
    throw new Refusal(
      'Nothing is counted yet. cost-tick looks every five minutes: try again a little later.',
    );
  console.log(json ? JSON.stringify(report, undefined, 2) : costWords(report, Date.now(), all ?? false));
  return 0;
}
