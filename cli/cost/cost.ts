import { connect, type Where } from '../connect.ts';
import { Refusal } from '../refusal.ts';
import { costWords } from './costWords.ts';
import { reportOf } from './report.ts';

export type CostOptions = Where & { json?: true; all?: true };

/** @returns the exit code */
export async function cost({ json, all, ...where }: CostOptions): Promise<number> {
  await connect(where);
  const report = await reportOf();
  if (!report)
    throw new Refusal(
      'Nothing is counted yet. cost-tick looks every five minutes: try again a little later.',
    );
  console.log(json ? JSON.stringify(report, undefined, 2) : costWords(report, Date.now(), all ?? false));
  return 0;
}
