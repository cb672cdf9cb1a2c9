import { setTimeout } from 'node:timers/promises';
import type { notebooks_v2 } from 'googleapis/build/src/apis/notebooks/v2.js';
import { codeOf } from '../../storage/codeOf.ts';
import { failureOf } from '../failure.ts';
import type { Stopped } from '../machines.ts';

const pause = 2000;

/** Workbench, as far as its instances are stopped. */
export type Workbench = {
  /** @returns undefined if Workbench has no such instance: then its machine is just a machine */
  stop(zone: string, name: string): Promise<Stopped | undefined>;
};

/**
 * Through Workbench, its instance is known as stopped and not as broken. Their machines have no Local SSD, so it is not
 * asked what becomes of one. https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2
 * @param patience milliseconds that an instance may take to stop
 */
export function workbench(
  project: string,
  notebooks: () => Promise<Pick<notebooks_v2.Notebooks, 'projects'>>,
  {
    patience = 5 * 60_000,
    wait = (ms: number): Promise<unknown> => setTimeout(ms),
    now = Date.now,
  }: { patience?: number; wait?: (ms: number) => Promise<unknown>; now?: () => number } = {},
): Workbench {
  return {
    async stop(zone, name) {
      const { locations } = (await notebooks()).projects;
      const until = now() + patience;
      try {
        const instance = `projects/${project}/locations/${zone}/instances/${name}`;
        let { data: operation } = await locations.instances.stop({ name: instance, requestBody: {} });
        while (!operation.done && now() < until) {
          await wait(pause);
          ({ data: operation } = await locations.operations.get({ name: operation.name ?? '' }));
        }
        const failure = operation.error ? failureOf(operation) : undefined;
        const stopped = operation.done === true && !operation.error;
        return { stopped, ...(failure ? { failure } : {}) };
      } catch (error) {
        if (codeOf(error) === 404) return undefined;
        const failure = failureOf(error);
        if (!failure) throw error;
        return { stopped: false, failure };
      }
    },
  };
}
