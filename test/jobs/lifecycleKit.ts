import type { outcomes, phases } from '../../shared/jobs/report.ts';

export type Phase = (typeof phases)[number];
export type Outcome = (typeof outcomes)[number];
