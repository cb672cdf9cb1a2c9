import { setTimeout } from 'node:timers/promises';
import type { LanguageServiceClient } from '@google-cloud/language';
import type { Storage } from '@google-cloud/storage';
import type { ImageAnnotatorClient } from '@google-cloud/vision';
import type { AuthClient, GoogleAuth, OAuth2Client } from 'google-auth-library';
import type { cloudbilling_v1 } from 'googleapis/build/src/apis/cloudbilling/v1.js';
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import type { monitoring_v3 } from 'googleapis/build/src/apis/monitoring/v3.js';
import type { notebooks_v2 } from 'googleapis/build/src/apis/notebooks/v2.js';
import type { pubsub_v1 } from 'googleapis/build/src/apis/pubsub/v1.js';
import type { tpu_v2 } from 'googleapis/build/src/apis/tpu/v2.js';
import * as z from 'zod';
import type { Annotator } from './annotation/annotation.ts';
import { config } from './config.ts';
import type { PaceOptions } from './drive/pace.ts';
import type { ComputeClients } from './machines/computeClients.ts';
import { recordsIn } from './storage/records.ts';

type LanguageOptions = ConstructorParameters<typeof LanguageServiceClient>[0];

/** Makes the client on first use and keeps it. A failed attempt is not kept, so that the next call tries again. */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

const driveScope = 'https://www.googleapis.com/auth/drive';

const auth = lazy(async (): Promise<GoogleAuth> => {
  // By `default`, here and below: in a bundle, a CommonJS module that is loaded late has no other name.
  const { GoogleAuth } = (await import('google-auth-library')).default;
  const scopes = ['https://www.googleapis.com/auth/cloud-platform', driveScope];
  const auth = new GoogleAuth({ scopes });
  const { localCloud } = config();
  if (localCloud) turnRound(await auth.getClient(), localCloud);
  return auth;
});

/**
 * For Drive: in the name of the account that the study folder is shared with, if there is one. Every function has an
 * account of its own, and a person shares a folder once.
 */
const driveAuth = lazy(async (): Promise<GoogleAuth | OAuth2Client> => {
  const { driveAccount, localCloud } = config();
  const own = await auth();
  if (!driveAccount) return own;
  // Its class `Impersonated` warns whenever one is made, and does not more than this.
  const { OAuth2Client } = (await import('google-auth-library')).default;
  const client = new OAuth2Client();
  client.refreshHandler = async () => {
    const { data } = await own.request<{ accessToken: string; expireTime: string }>({
      method: 'POST',
      url: `${localCloud ?? 'https://iamcredentials.googleapis.com'}/v1/projects/-/serviceAccounts/${driveAccount}:generateAccessToken`,
      data: { scope: [driveScope] },
      // By itself it tries no POST again; to ask twice for this does no harm.
      retry: true,
      retryConfig: { httpMethodsToRetry: ['POST'] },
    });
    return { access_token: data.accessToken, expiry_date: Date.parse(data.expireTime) };
  };
  if (localCloud) turnRound(client, localCloud);
  return client;
});

/**
 * The library knows one token endpoint and ignores the key file's `token_uri`, and `googleapis` sends uploads to Google
 * whatever `rootUrl` its client was given; so these requests are turned round.
 */
function turnRound({ transporter }: AuthClient, localCloud: string): void {
  transporter.interceptors.request.add({
    resolved: async (request) => {
      const { host, pathname, search } = request.url;
      if (['oauth2.googleapis.com', 'www.googleapis.com'].includes(host))
        request.url = new URL(`${pathname}${search}`, localCloud);
      return request;
    },
  });
}

/** Options of a client of the `googleapis` package. */
export async function discoveryOptions() {
  const { localCloud } = config();
  return { auth: await auth(), ...(localCloud ? { rootUrl: `${localCloud}/` } : {}) };
}

/** Options of a generated client: plain HTTP and JSON (gRPC would cost 80 ms and 10 MB more at every cold start). */
async function restOptions() {
  const { localCloud } = config();
  const common = { auth: await auth(), fallback: true } as const;
  if (!localCloud) return common;
  const { hostname, port, protocol } = new URL(localCloud);
  return { ...common, servicePath: hostname, port: Number(port), protocol: protocol.replace(':', '') };
}

/**
 * A Drive client with a pace of its own, as another process would have.
 * @param options replaced by tests
 */
export async function openDrive(options: Partial<PaceOptions> = {}): Promise<drive_v3.Drive> {
  const [drive, { createPace }, { pacedRequests }, { sharedHold }, storage, common, auth] = await Promise.all(
    [
      import('googleapis/build/src/apis/drive/v3.js'),
      import('./drive/pace.ts'),
      import('./drive/pacedRequests.ts'),
      import('./drive/sharedHold.ts'),
      clients.storage(),
      discoveryOptions(),
      driveAuth(),
    ],
  );
  const { driveUnitsPerMinute: unitsPerMinute, driveBackoff: backOff, stateBucket } = config();
  const wait = (ms: number, signal?: AbortSignal) => setTimeout(ms, undefined, { signal });
  const defaults = { unitsPerMinute, backOff, patience: 60_000, now: Date.now, wait, random: Math.random };
  const given = { ...defaults, ...options };
  const pace = createPace({ shared: sharedHold(recordsIn(storage, stateBucket), given), ...given });
  return new drive.default.drive_v3.Drive({ ...common, auth, ...pacedRequests(pace, given) });
}

/** Google's client libraries, each loaded when it is first asked for. */
export const clients = {
  storage: lazy(async (): Promise<Storage> => {
    const { IdempotencyStrategy, Storage } = await import('@google-cloud/storage');
    const { localCloud, project } = config();
    return new Storage({
      projectId: project,
      authClient: await auth(),
      // One write without a precondition would otherwise end all retries of this client, for good.
      // More tries than its three: what was paid for is lost if it cannot be written down.
      retryOptions: { idempotencyStrategy: IdempotencyStrategy.RetryAlways, maxRetries: 6 },
      ...(localCloud ? { apiEndpoint: localCloud, useAuthWithCustomEndpoint: true } : {}),
    });
  }),

  /** One for the process, so that all its requests keep to one pace. */
  drive: lazy(() => openDrive()),

  /**
   * Pub/Sub over JSON, for publishing. `@google-cloud/pubsub` would bring gRPC along: 170 ms of a cold start for a
   * single request (`npm run bench:cold-start`).
   */
  pubsub: lazy(async (): Promise<pubsub_v1.Pubsub> => {
    const { pubsub_v1 } = (await import('googleapis/build/src/apis/pubsub/v1.js')).default;
    return new pubsub_v1.Pubsub(await discoveryOptions());
  }),

  /** By its file: the package's front door loads five versions of it, which takes 200 ms more. So with the next. */
  vision: lazy(async (): Promise<ImageAnnotatorClient> => {
    const [{ default: vision }, { default: fallback }] = await Promise.all([
      import('@google-cloud/vision/build/src/v1/image_annotator_client.js'),
      import('google-gax/fallback'),
    ]);
    // Only what the front door adds to it is missing: `annotateImage` and the like, for one image at a time.
    return new vision.ImageAnnotatorClient(await restOptions(), fallback) as ImageAnnotatorClient;
  }),

  /** Version 1: only it has syntax, and so words with their parts of speech. */
  language: lazy(async (): Promise<LanguageServiceClient> => {
    const { LanguageServiceClient } = (
      await import('@google-cloud/language/build/src/v1/language_service_client.js')
    ).default;
    // It brings an older auth library of its own, with another type for the same credentials.
    return new LanguageServiceClient((await restOptions()) as object as LanguageOptions);
  }),

  /** Only for functions that deal with machines: it takes a second and much memory. */
  compute: lazy(async (): Promise<ComputeClients> => {
    const { openComputeClients } = await import('./machines/computeClients.ts');
    return openComputeClients(await restOptions());
  }),

  billing: lazy(async (): Promise<cloudbilling_v1.Cloudbilling> => {
    const { cloudbilling_v1 } = (await import('googleapis/build/src/apis/cloudbilling/v1.js')).default;
    return new cloudbilling_v1.Cloudbilling(await discoveryOptions());
  }),

  tpu: lazy(async (): Promise<tpu_v2.Tpu> => {
    const { tpu_v2 } = (await import('googleapis/build/src/apis/tpu/v2.js')).default;
    return new tpu_v2.Tpu(await discoveryOptions());
  }),

  monitoring: lazy(async (): Promise<monitoring_v3.Monitoring> => {
    const { monitoring_v3 } = (await import('googleapis/build/src/apis/monitoring/v3.js')).default;
    return new monitoring_v3.Monitoring(await discoveryOptions());
  }),

  notebooks: lazy(async (): Promise<notebooks_v2.Notebooks> => {
    const { notebooks_v2 } = (await import('googleapis/build/src/apis/notebooks/v2.js')).default;
    return new notebooks_v2.Notebooks(await discoveryOptions());
  }),

  /** Who answers for a service, to be kept with what it said. */
  async annotator(service: Annotator['service']): Promise<Annotator> {
    const models = await localModels();
    return {
      service,
      version: 'v1',
      local: models !== undefined,
      ...(models?.[service] ? { models: models[service] } : {}),
    };
  },
};

const LocalCloud = z.object({ models: z.record(z.string(), z.record(z.string(), z.string())) });

/** The local cloud says on its front page which models stand behind its answers. */
const localModels = lazy(async () => {
  const { localCloud } = config();
  if (!localCloud) return undefined;
  const { models } = LocalCloud.parse(await (await fetch(localCloud)).json());
  return { 'vision.googleapis.com': models.vision, 'language.googleapis.com': models.language };
});
