import { cp, rm } from 'node:fs/promises';
import { build } from 'esbuild';

/*
 * What is deployed: the functions and most of what they use, bundled, in files that are loaded when they are needed.
 * Without it, the start of a function reads some hundreds of files: `npm run bench:start` shows what that costs.
 *
 * Not bundled: the framework, which must be the one that serves; and the generated clients, which read files beside
 * them and gain nothing.
 */
await rm('build', { recursive: true, force: true });
await build({
  entryPoints: { 'functions/serve': 'functions/serve.ts' },
  outdir: 'build',
  bundle: true,
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'linked',
  external: [
    '@google-cloud/functions-framework',
    '@google-cloud/compute',
    '@google-cloud/vision',
    '@google-cloud/language',
    'google-gax',
  ],
  // Bundled CommonJS modules ask for `require`, which an ES module does not have.
  banner: {
    js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);",
  },
  logLevel: 'warning',
});
// Read by functions that start machines (`shared/machines/startupScript.ts`).
for (const script of ['machine/start.sh', 'session/start.sh'])
  await cp(`deploy/google/${script}`, `build/${script}`);
