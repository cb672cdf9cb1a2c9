import { spawnSync } from 'node:child_process';
import { type Ran, run } from './children.ts';
import type { GoogleProxy } from './startProxy.ts';

export type Rclone = {
  version: string;
  /** Runs `rclone COMMAND…` with the remotes `drive:` (the study folder) and `bucket:` (Cloud Storage). */
  run(...args: string[]): Promise<Ran>;
};

export type RcloneOptions = {
  /** Of the local cloud. */
  origin: string;
  keyFile: string;
  studyFolder: string;
  proxy: GoogleProxy;
};

const binary = process.env.RCLONE ?? 'rclone';

/** `rclone v1.60.1-DEV`, or nothing if it cannot be run. */
export function rcloneVersion(): string | undefined {
  const { status, stdout } = spawnSync(binary, ['version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
}

/**
 * Its settings come from the environment alone, whatever the person has configured. Cloud Storage takes an endpoint; Drive
 * takes none, so that its requests go through the proxy.
 */
export function rcloneFor({ origin, keyFile, studyFolder, proxy }: RcloneOptions): Rclone {
  const inherited = Object.entries(process.env).filter(([name]) => !/^RCLONE|_proxy$/i.test(name));
  const env = {
    ...Object.fromEntries(inherited),
    HTTPS_PROXY: proxy.url,
    NO_PROXY: '127.0.0.1',
    RCLONE_CONFIG_DRIVE_TYPE: 'drive',
    RCLONE_CONFIG_DRIVE_SCOPE: 'drive',
    RCLONE_CONFIG_DRIVE_SERVICE_ACCOUNT_FILE: keyFile,
    RCLONE_CONFIG_DRIVE_ROOT_FOLDER_ID: studyFolder,
    RCLONE_CONFIG_BUCKET_TYPE: 'google cloud storage',
    RCLONE_CONFIG_BUCKET_SERVICE_ACCOUNT_FILE: keyFile,
    RCLONE_CONFIG_BUCKET_ENDPOINT: `${origin}/storage/v1/`,
    RCLONE_CONFIG_BUCKET_BUCKET_POLICY_ONLY: 'true',
  };
  return {
    version: rcloneVersion() ?? '',
    // Once: if it stumbles over the local cloud, the figures would be of that, and not of rclone.
    run: (...args) =>
      run(binary, ['--config', '', '--ca-cert', proxy.certificate, '--retries', '1', ...args], env),
  };
}

/**
 * Its most favourable settings for many small files. By default it makes ten calls a second at Drive, after a burst of a
 * hundred; that is a choice for Google's quota, and not its speed. https://rclone.org/drive/#drive-pacer-min-sleep
 */
export const favourable = [
  ...['--transfers', '64', '--checkers', '64', '--fast-list'],
  ...['--drive-pacer-min-sleep', '0', '--drive-pacer-burst', '10000'],
];
