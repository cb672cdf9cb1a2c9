import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('./bin', import.meta.url));

/** What belongs to the person at the laptop or to the lab that runs here, and is not there on a machine at Google. */
const isNotTheirs = (variable: string) =>
  /^(GAZELINE_|CLOUDSDK_|GOOGLE_|GCLOUD_|GCE_|STORAGE_EMULATOR_|PUBSUB_EMULATOR_|npm_|NODE_|JEST_|GIT_)/.test(
    variable,
  );

/**
 * The environment of everything that runs on a machine: Google's libraries and `gcloud` find the local cloud by it, and
 * `poweroff` is the machine's own.
 */
export function machineEnvironment(
  machine: { folder: string; metadataHost: string; origin: string; project: string },
  inherited: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const { folder, metadataHost, origin, project } = machine;
  const kept = Object.fromEntries(Object.entries(inherited).filter(([variable]) => !isNotTheirs(variable)));
  return {
    ...kept,
    PATH: [bin, inherited.PATH ?? '/usr/bin:/bin'].join(delimiter),
    HOME: folder,
    PWD: folder,
    TMPDIR: join(folder, 'tmp'),
    // https://github.com/googleapis/google-auth-library-python/blob/main/google/auth/environment_vars.py
    GCE_METADATA_HOST: metadataHost,
    GCE_METADATA_IP: metadataHost,
    // https://github.com/googleapis/gcp-metadata#environment-variables
    METADATA_SERVER_DETECTION: 'assume-present',
    // The start-up script of a job works here, and powers off what it knows to be a machine, never a laptop.
    GAZELINE_WORK: join(folder, 'work'),
    GAZELINE_POWEROFF: 'poweroff',
    // Nothing of it may be left on a laptop when it is gone, be it killed.
    GAZELINE_MEMORY: join(folder, 'tmp'),
    GOOGLE_CLOUD_PROJECT: project,
    STORAGE_EMULATOR_HOST: origin,
    CLOUDSDK_CONFIG: join(folder, '.config', 'gcloud'),
    CLOUDSDK_CORE_PROJECT: project,
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_AUTH_ACCESS_TOKEN: 'local',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${origin}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${origin}/compute/v1/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING: `${origin}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_NOTEBOOKS: `${origin}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_TPU: `${origin}/`,
  };
}
