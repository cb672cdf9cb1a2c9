import { readFileSync } from 'node:fs';
import { type Instance, metadataOf } from './instance.ts';

const workbench = new URL('../../../machines/workbench.sh', import.meta.url);

/** What a machine runs first: its start-up script; one of Workbench, what its image does, which runs that as well. */
export const firstScript = (instance: Instance): string | undefined =>
  instance.body.labels?.['notebooks-product'] === 'workbench-instances'
    ? readFileSync(workbench, 'utf8')
    : metadataOf(instance)['startup-script'];
