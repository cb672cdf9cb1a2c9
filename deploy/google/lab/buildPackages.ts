import { join } from 'node:path';
import { run } from './program.ts';

const root = join(import.meta.dirname, '../../..');

/** What is deployed: `build/packages/<function>.zip`. */
export const buildPackages = () => run('npm', ['run', '--silent', 'build'], { cwd: root });
