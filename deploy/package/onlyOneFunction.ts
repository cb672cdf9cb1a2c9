import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';
import { exportEach, keepOnly } from './keepOnly.ts';

/**
 * A bundler leaves out variables that nobody uses, and never a property of an object. So, on their way into a bundle,
 * the map of all functions has one entry left, and each of the `clients` is a variable of its own. What only the others
 * use is then left out as well.
 */
export function onlyOneFunction(name: string): Plugin {
  return {
    name: 'only one function',
    setup({ onLoad }) {
      onLoad({ filter: /\/(functions|shared)\/.*\.ts$/ }, async ({ path }) => {
        const source = (await readFile(path, 'utf8')).replace(importOfClients, asNamespace);
        return { contents: shortened(path, source), loader: 'ts' };
      });
    },
  };

  function shortened(path: string, source: string): string {
    if (path.endsWith('/functions/index.ts')) return withPureCalls(keepOnly(source, 'functions', name));
    if (path.endsWith('/shared/clients.ts'))
      return withPureCalls(`import * as clients from './clients.ts';\n${exportEach(source, 'clients')}`);
    return source;
  }
}

/** What these two modules make with `lazy` and the like has no effect before it is used. */
const withPureCalls = (source: string) =>
  source.replace(/^(export )?const \w+ = (?=\w+\()/gm, '$&/* @__PURE__ */ ');

const importOfClients = /^import \{ clients(?:, ([^}]+))? \} from ('[^']*\/clients\.ts');$/gm;
const asNamespace = (_: string, others: string | undefined, from: string) =>
  `import * as clients from ${from};${others ? ` import { ${others} } from ${from};` : ''}`;
