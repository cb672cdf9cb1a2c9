import { readFile } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import type { Plugin } from 'esbuild';

type Namespace = { nested?: Record<string, Namespace> };

/**
 * The descriptions of Google's APIs stay files beside the bundle: as JSON they are read three times as fast as when they
 * are program text. Of their versions only the first is ever asked; Compute Engine's others make 10 of its 12 MB.
 */
export function protos(files: Map<string, Buffer>): Plugin {
  return {
    name: 'protos',
    setup({ onResolve }) {
      onResolve({ filter: /\/protos\.json$/ }, async ({ path, resolveDir }) => {
        const from = join(resolveDir, path);
        const [, service = ''] = from.split(`${sep}@google-cloud${sep}`);
        const name = `${service.split(sep)[0]}-${basename(path)}`;
        files.set(name, Buffer.from(JSON.stringify(onlyVersion1(JSON.parse(await readFile(from, 'utf8'))))));
        return { path: `./${name}`, external: true };
      });
    },
  };
}

/** Of `google.cloud.SERVICE` only `v1`. */
function onlyVersion1(root: Namespace): Namespace {
  for (const service of Object.values(root.nested?.google?.nested?.cloud?.nested ?? {}))
    if (service.nested?.v1) service.nested = { v1: service.nested.v1 };
  return root;
}
