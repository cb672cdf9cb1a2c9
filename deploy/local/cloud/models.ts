import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The installed versions of npm packages, by name. */
export function versionsOf(...packages: string[]): Record<string, string> {
  return Object.fromEntries(
    packages.map((name) => {
      const file = findPackageJSON(name, import.meta.url);
      if (!file) throw new Error(`The package ${name} is not installed`);
      return [name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version];
    }),
  );
}
