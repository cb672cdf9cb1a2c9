import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { functions } from '../../functions/index.ts';
import { type Cloud, startCloud } from './cloud/cloud.ts';
import { forgetEnvironment, leaveEnvironment } from './environment.ts';
import { type Host, type HostOptions, startHost } from './host/host.ts';
import { labBudget } from './host/labBudget.ts';
import { letIn } from './host/letIn.ts';
import { provision, tick } from './host/provision.ts';

export type LabOptions = {
  dir: string;
  port?: number;
  isolate?: boolean;
  onLog: HostOptions['onLog'];
  /** More of the functions' environment. */
  env?: Record<string, string>;
  maximumBackoff?: number;
  ackDeadline?: number;
};

export type Lab = { cloud: Cloud; host: Host; close(): Promise<void> };

/**
 * A lab on one computer: the local cloud, the functions beside it, and what a deployment would have made for them.
 * The environment of this process becomes that of a function, so that `clients` speak to this cloud as well.
 */
export async function startLab({
  dir,
  port = 0,
  isolate = false,
  onLog,
  ...options
}: LabOptions): Promise<Lab> {
  const cloud = await startCloud({ dir, port });
  let host: Host | undefined;
  const close = async () => {
    forgetEnvironment(dir);
    await host?.close();
    await cloud.close();
  };
  try {
    const budget = await labBudget(cloud);
    const env = (endpointOf: Host['endpointOf']): Record<string, string> => ({
      GAZELINE_LOCAL_CLOUD: cloud.origin,
      GOOGLE_APPLICATION_CREDENTIALS: cloud.keyFile,
      GAZELINE_PROJECT: cloud.project,
      GAZELINE_STUDY_FOLDER: cloud.studyFolder,
      GAZELINE_RAW_BUCKET: 'raw',
      GAZELINE_DERIVED_BUCKET: 'derived',
      GAZELINE_STATE_BUCKET: 'state',
      GAZELINE_MACHINE_ACCOUNT: `machines@${cloud.project}.iam.gserviceaccount.com`,
      GAZELINE_WEBHOOK_URL: endpointOf('drive-webhook'),
      GAZELINE_API_URL: endpointOf('api').replace(/\/$/, ''),
      GAZELINE_CHANNEL_SECRET: channelSecretIn(dir),
      ...budget,
      ...options.env,
    });
    host = await startHost({ functions, isolate, env, onLog });
    Object.assign(process.env, env(host.endpointOf));
    const { maximumBackoff = 10, ackDeadline } = options;
    await provision({ endpointOf: host.endpointOf, maximumBackoff, ackDeadline });
    await letIn(cloud);
    await tick('drive-tick');
    leaveEnvironment(dir);
    return { cloud, host, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The same at every start: channels that were opened before go on. */
function channelSecretIn(dir: string): string {
  const file = join(dir, '.cloud', 'channel-secret');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
