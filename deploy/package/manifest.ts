import { framework } from './framework.ts';
import { locked } from './locked.ts';

/**
 * `package.json` and `package-lock.json` of a package: the framework, and the versions with the checksums that the
 * repository's own lock has for it and for all it needs. So `npm ci` would bring the same, were it ever run.
 */
export async function manifest(name: string): Promise<Map<string, Buffer>> {
  const { lockfileVersion, version, packages } = await locked(framework);
  const own = {
    name: `gazeline-${name}`,
    version,
    license: 'Apache-2.0',
    dependencies: { [framework]: packages.get(`node_modules/${framework}`)?.version },
    engines: { node: '24' },
  };
  const needed = Object.fromEntries([...packages].sort(([a], [b]) => (a < b ? -1 : 1)));
  const lock = { name: own.name, version, lockfileVersion, requires: true, packages: { '': own, ...needed } };
  return new Map([
    ['package.json', json({ ...own, private: true, type: 'module', main: 'index.js' })],
    ['package-lock.json', json(lock)],
  ]);
}

const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
