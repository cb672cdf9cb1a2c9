import type { notebooks_v2 } from 'googleapis/build/src/apis/notebooks/v2.js';
import { type Failure, failureOf } from '../machines/failure.ts';
import { codeOf } from '../storage/codeOf.ts';
import { sessionIdLabel } from './instanceBody.ts';

/** An instance as Workbench describes it now. */
export type Seen = {
  /** https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/State */
  state: string;
  /** Of its machine. */
  machineId?: string;
  link?: string;
  /** Of the session that it is labelled with. */
  sessionId?: string;
};

/** Accepted: there is an operation. What comes of it, that says later. */
export type Asked = { operation: string } | { failure: Failure };

/** Workbench, as far as sessions go. What it refuses is a value; errors of which nothing can be concluded are thrown. */
export type Instances = {
  create(zone: string, id: string, body: notebooks_v2.Schema$Instance, requestId: string): Promise<Asked>;
  /** @returns undefined if the service says that there is none */
  look(zone: string, id: string): Promise<Seen | undefined>;
  /** @returns undefined while it is under way; `forgotten` if nothing is known of it any more */
  outcome(operation: string): Promise<'done' | 'forgotten' | { failure: Failure } | undefined>;
  start(zone: string, id: string): Promise<Asked>;
  stop(zone: string, id: string): Promise<Asked>;
  /** With its disks. */
  remove(zone: string, id: string): Promise<Asked>;
};

/** Questions are tried again by the library, requests by whoever comes next: nobody waits for long. */
const options = { timeout: 20_000 };

/** https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2/projects.locations.instances */
export function workbenchInstances(
  project: string,
  notebooks: () => Promise<Pick<notebooks_v2.Notebooks, 'projects'>>,
): Instances {
  const locations = async () => (await notebooks()).projects.locations;
  const nameOf = (zone: string, id: string) => `projects/${project}/locations/${zone}/instances/${id}`;

  const ask = async (
    work: (
      locations: notebooks_v2.Resource$Projects$Locations,
    ) => Promise<{ data: notebooks_v2.Schema$Operation }>,
  ): Promise<Asked> => {
    try {
      const { data } = await work(await locations());
      return { operation: data.name ?? '' };
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      return { failure };
    }
  };

  return {
    create: (zone, instanceId, requestBody, requestId) =>
      ask(({ instances }) =>
        instances.create(
          { parent: `projects/${project}/locations/${zone}`, instanceId, requestId, requestBody },
          options,
        ),
      ),

    async look(zone, id) {
      try {
        const { instances } = await locations();
        const { data } = await instances.get({ name: nameOf(zone, id) }, options);
        const { state, proxyUri, labels, gceSetup } = data;
        return {
          state: state ?? 'STATE_UNSPECIFIED',
          ...(gceSetup?.instanceId ? { machineId: gceSetup.instanceId } : {}),
          // Google gives the host alone.
          ...(proxyUri ? { link: /^https?:/.test(proxyUri) ? proxyUri : `https://${proxyUri}` } : {}),
          ...(labels?.[sessionIdLabel] ? { sessionId: labels[sessionIdLabel] } : {}),
        };
      } catch (error) {
        if (codeOf(error) === 404) return undefined;
        throw error;
      }
    },

    async outcome(name) {
      try {
        const { operations } = await locations();
        const { data } = await operations.get({ name }, options);
        if (!data.done) return undefined;
        const failure = data.error ? failureIn(data.error) : undefined;
        return failure ? { failure } : 'done';
      } catch (error) {
        if (codeOf(error) === 404) return 'forgotten';
        throw error;
      }
    },

    start: (zone, id) =>
      ask(({ instances }) => instances.start({ name: nameOf(zone, id), requestBody: {} }, options)),
    stop: (zone, id) =>
      ask(({ instances }) => instances.stop({ name: nameOf(zone, id), requestBody: {} }, options)),
    remove: (zone, id) => ask(({ instances }) => instances.delete({ name: nameOf(zone, id) }, options)),
  };
}

/**
 * Of an operation, INVALID_ARGUMENT is what Compute Engine has not accepted, and another zone will not either; of a TPU it
 * may be a sold-out zone.
 */
function failureIn(error: notebooks_v2.Schema$Status): Failure | undefined {
  const failure = failureOf({ error });
  if (error.code !== 3 || failure?.kind !== 'stock-out') return failure;
  const isKnown = failureOf({ error: { ...error, code: 13 } });
  return isKnown?.kind === 'stock-out'
    ? failure
    : failureOf(Object.assign(new Error(error.message ?? ''), { code: 3 }));
}
