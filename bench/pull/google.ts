import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud } from '../../deploy/local/cloud/cloud.ts';
import { run } from '../sync/children.ts';
import type { Puller } from './bench.ts';

/** `Google Cloud SDK 528.0.0`, or nothing if it cannot be run. */
export function versionOf(program: 'gcloud' | 'gsutil'): string | undefined {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 60_000 });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

/** As it comes, but for where Cloud Storage is. */
export function gcloudPullers(dir: string, { origin, project }: Cloud): Puller[] {
  const env = {
    ...homeIn(dir, 'gcloud'),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${origin}/`,
    CLOUDSDK_AUTH_ACCESS_TOKEN: 'local',
    CLOUDSDK_CORE_PROJECT: project,
  };
  const storage = (...args: string[]) => run('gcloud', ['storage', ...args], env);
  return [
    {
      name: 'gcloud storage cp',
      pull: (prefix, folder, isThere) =>
        storage('cp', '-r', ...(isThere ? ['--no-clobber'] : []), `gs://raw/${prefix}*`, folder),
    },
    {
      name: 'gcloud storage rsync',
      pull: (prefix, folder) => storage('rsync', '-r', `gs://raw/${prefix}`, folder),
    },
  ];
}

/** With connections that are not encrypted, as all of the others'. */
export function gsutilPuller(dir: string, { origin, project }: Cloud): Puller {
  const { hostname, port } = new URL(origin);
  const home = homeIn(dir, 'gsutil');
  const boto = join(home.HOME, 'boto');
  const settings = {
    Credentials: { gs_json_host: hostname, gs_json_port: port },
    GSUtil: { default_project_id: project },
  };
  const lines = Object.entries(settings).flatMap(([section, values]) => [
    `[${section}]`,
    ...Object.entries(values).map(([name, value]) => `${name} = ${value}`),
  ]);
  writeFileSync(boto, `${lines.join('\n')}\n`);
  const env = {
    ...home,
    BOTO_CONFIG: boto,
    CLOUDSDK_CORE_PASS_CREDENTIALS_TO_GSUTIL: 'false',
    CLOUDSDK_PYTHON_SITEPACKAGES: '1',
    PYTHONPATH: join(import.meta.dirname, 'gsutil'),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  return {
    name: 'gsutil -m cp',
    pull: (prefix, folder, isThere) =>
      run('gsutil', ['-m', 'cp', ...(isThere ? ['-n'] : []), '-r', `gs://raw/${prefix}*`, folder], env),
  };
}

/** Nothing of the person's own settings counts, and nothing is left in them. */
function homeIn(dir: string, name: string) {
  const home = join(dir, `home-of-${name}`);
  mkdirSync(home, { recursive: true });
  const own = Object.entries(process.env).filter(([variable]) => !/^(CLOUDSDK|BOTO|PYTHON)/.test(variable));
  return {
    ...Object.fromEntries(own),
    HOME: home,
    CLOUDSDK_CONFIG: join(home, 'config'),
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
  };
}
