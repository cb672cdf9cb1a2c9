import { run } from './program.ts';
import { Stop } from './stop.ts';

/** Which `deploy/google/terraform/versions.tf` needs. */
const neededTerraform = [1, 11];

/** @throws Stop that says how to get what is missing */
export async function checkTools(): Promise<void> {
  const missing: string[] = [];
  if (!(await isThere('gcloud')))
    missing.push('Gazeline needs gcloud. Install it: https://cloud.google.com/sdk/docs/install');
  const version = await terraformVersion();
  if (!version)
    missing.push('Gazeline needs terraform. Install it: https://developer.hashicorp.com/terraform/install');
  else if (isOlder(version, neededTerraform))
    missing.push(
      `terraform ${version} is too old: ${neededTerraform.join('.')} is needed. Install it: https://developer.hashicorp.com/terraform/install`,
    );
  if (missing.length > 0)
    throw new Stop(`${missing.join('\n')}\nCloud Shell has both: https://shell.cloud.google.com`);
}

async function isThere(program: string): Promise<boolean> {
  try {
    await run(program, ['--version']);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function terraformVersion(): Promise<string | undefined> {
  try {
    const printed = await run('terraform', ['version', '-json']);
    return (JSON.parse(printed) as { terraform_version: string }).terraform_version;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isOlder(version: string, needed: number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of needed.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
