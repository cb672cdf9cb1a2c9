import { join } from 'node:path';
import { run } from './program.ts';

const root = join(import.meta.dirname, '../../..');

/** What is deployed: `build/packages/<function>.zip`. */
export const buildPackages = () =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', 'deploy/build.ts'], { cwd: root });
