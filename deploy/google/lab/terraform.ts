import { randomBytes } from 'node:crypto';
import { terraformFolder } from './answers.ts';
import { gcloud } from './gcloud.ts';
import { Failed, run } from './program.ts';

/** A line of Terraform's: https://developer.hashicorp.com/terraform/internals/machine-readable-ui */
export type Event = {
  type: string;
  '@message'?: string;
  hook?: { resource: { addr: string; resource_type: string }; action?: string };
  diagnostic?: { severity: string; summary: string; detail?: string; address?: string };
};

/**
 * Looked at by Google when its version rises, and kept nowhere else. Plan and apply are to be given one each, and what
 * does not matter may be anything.
 */
const channelSecret = randomBytes(32).toString('base64');

/**
 * In the name of whoever is logged in to gcloud: there is no other login to explain, and no key. A token is good for an
 * hour, so each command has its own.
 * @throws Failed with the words of all errors
 */
export async function terraform(args: string[], onEvent?: (event: Event) => void): Promise<string> {
  const errors: string[] = [];
  const onLine = (line: string) => {
    const event = parsed(line);
    if (!event) return;
    const { diagnostic } = event;
    if (diagnostic?.severity === 'error')
      errors.push([diagnostic.address, diagnostic.summary, diagnostic.detail].filter(Boolean).join('\n'));
    onEvent?.(event);
  };
  try {
    return await run('terraform', [`-chdir=${terraformFolder}`, ...args], {
      env: {
        GOOGLE_OAUTH_ACCESS_TOKEN: await gcloud('auth', 'print-access-token'),
        TF_VAR_channel_secret: channelSecret,
        TF_IN_AUTOMATION: '1',
        TF_INPUT: '0',
      },
      ...(args.includes('-json') ? { onLine } : {}),
    });
  } catch (error) {
    if (error instanceof Failed && errors.length > 0) throw new Failed(error.command, errors.join('\n\n'));
    throw error;
  }
}

function parsed(line: string): Event | undefined {
  try {
    return JSON.parse(line) as Event;
  } catch {
    return undefined;
  }
}

/** Remembers what it has made in a bucket of the project. */
export const init = (project: string) =>
  terraform([
    'init',
    '-input=false',
    '-no-color',
    '-reconfigure',
    `-backend-config=bucket=${stateBucketOf(project)}`,
  ]);

export const stateBucketOf = (project: string) => `${project}-gazeline-terraform`;

export type Outputs = {
  share_with?: string;
  buckets?: { raw: string; derived: string; state: string };
  urls?: Record<string, string>;
  webhook?: string;
  callers?: Record<string, string>;
};

export async function outputs(): Promise<Outputs> {
  const all = JSON.parse(await terraform(['output', '-json'])) as Record<string, { value: unknown }>;
  return Object.fromEntries(Object.entries(all).map(([name, { value }]) => [name, value]));
}

/** The addresses of what Terraform knows of. Of a lab that is not there yet it has no memory at all. */
export async function known(): Promise<string[]> {
  try {
    return (await terraform(['state', 'list'])).split('\n').filter(Boolean);
  } catch (error) {
    if (error instanceof Failed && /No state file was found/.test(error.output)) return [];
    throw error;
  }
}
