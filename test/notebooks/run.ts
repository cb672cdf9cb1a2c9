import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { python } from './python.ts';

// npm run test:notebooks -- -k 'what pytest is to look for'
const folder = import.meta.dirname;
const environment = {
  ...process.env,
  PYTHONPATH: join(folder, '../../notebooks'),
  // Nothing is left beside the sources.
  PYTHONDONTWRITEBYTECODE: '1',
  // The lab is started with this Node.
  GAZELINE_NODE: process.execPath,
};
const options = [
  '-m',
  'pytest',
  '-p',
  'no:cacheprovider',
  '--rootdir',
  folder,
  ...process.argv.slice(2),
  folder,
];
const child = spawn(await python(), options, { stdio: 'inherit', env: environment });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.once('close', (code) => {
  process.exitCode = code ?? 1;
});
