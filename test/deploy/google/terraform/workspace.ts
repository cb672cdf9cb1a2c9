import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from '../../../../deploy/google/describe.ts';
import { project } from './standIn/given.ts';
import { type StandIn, startStandIn } from './standIn/provider.ts';

const run = promisify(execFile);
const source = join(import.meta.dirname, '../../../../deploy/google/terraform');

export const isTerraformThere = (() => {
  try {
    execFileSync('terraform', ['version'], { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    console.warn('terraform is not installed: what needs it is skipped.');
    return false;
  }
})();

export type Workspace = StandIn & {
  /** Runs Terraform over a copy of the configuration. @returns what it prints @throws with what it complains of */
  terraform(...args: string[]): Promise<string>;
  json(...args: string[]): Promise<unknown>;
  /** As if somebody had written something else in a file. */
  change(file: string, from: string, to: string): Promise<void>;
};

/** The configuration as it is deployed, but for where its state is kept: here it is a file beside it. */
export async function openWorkspace(variables: object = {}): Promise<Workspace> {
  const dir = await mkdtemp(join(tmpdir(), 'gazeline-terraform-'));
  const packages = join(dir, 'packages');
  await mkdir(packages);
  await cp(source, dir, {
    recursive: true,
    filter: (file) => !/backend\.tf$|\.terraform|tfstate/.test(file),
  });
  for (const name of Object.keys(describe().functions)) await writeFile(join(packages, `${name}.zip`), name);
  const answers = {
    project,
    region: 'europe-west4',
    study_folder: '1AbC_dEfGhIjKlMnOp',
    packages,
    ...variables,
  };
  await writeFile(join(dir, 'lab.auto.tfvars.json'), JSON.stringify(answers));
  const standIn = await startStandIn();
  const env = {
    ...process.env,
    ...standIn.env,
    TF_CLI_CONFIG_FILE: '/dev/null',
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    TF_VAR_channel_secret: 'a secret that must not be kept',
  };
  const terraform = async (...args: string[]) => {
    try {
      return (await run('terraform', args, { cwd: dir, env, maxBuffer: 1 << 28 })).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`terraform ${args.join(' ')}: ${stderr}${stdout}`);
    }
  };
  return {
    ...standIn,
    terraform,
    json: async (...args) => JSON.parse(await terraform(...args)),
    async change(file, from, to) {
      const text = await readFile(join(dir, file), 'utf8');
      if (!text.includes(from)) throw new Error(`${file} does not say ${from}`);
      await writeFile(join(dir, file), text.replace(from, to));
    },
    async close() {
      await standIn.close();
      await rm(dir, { recursive: true });
    },
  };
}
