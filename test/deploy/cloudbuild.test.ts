import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { cloudbuild_v1 } from 'googleapis/build/src/apis/cloudbuild/v1.js';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'cloudbuild.yaml'), 'utf8');
const build: cloudbuild_v1.Schema$Build = parse(text);
const steps = build.steps ?? [];
const scratch = mkdtempSync(join(tmpdir(), 'gazeline-build-'));
// The types are looked for beside the file.
symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What Cloud Build's own types say of builds. @returns for each of them nothing, or what is wrong */
function complaintsOf(...builds: unknown[]): string[] {
  const file = join(scratch, 'build.ts');
  const lines = builds.map((one) => `export const _: cloudbuild_v1.Schema$Build = ${JSON.stringify(one)};`);
  const types = "import type { cloudbuild_v1 } from 'googleapis/build/src/apis/cloudbuild/v1.js';";
  writeFileSync(file, [types, ...lines.map((line, at) => line.replace('_', `build${at}`))].join('\n'));
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext'];
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), [...options, '--types', 'node', file]);
  return builds.map((_, at) => stdout.toString().match(new RegExp(`\\(${at + 2},.*`))?.[0] ?? '');
}

test('the build is what the API takes, which sees mistakes', () => {
  const [complaint, ...seen] = complaintsOf(
    build,
    { steps: [{ name: 'node:24', agrs: ['ci'] }] },
    { steps: [{ name: 'node:24', args: 'ci' }] },
    { steps: [], timout: '60s' },
  );
  expect(complaint).toBe('');
  expect(seen).toEqual([
    expect.stringMatching(/agrs.* does not exist in type 'Schema\$BuildStep'/),
    expect.stringMatching(/'string' is not assignable to type 'string\[\]'/),
    expect.stringMatching(/timout.* does not exist in type 'Schema\$Build'/),
  ]);
});

test('a step waits only for steps that stand before it, and the times are in seconds', () => {
  const before: string[] = ['-'];
  for (const { id, waitFor } of steps) {
    expect((waitFor ?? []).filter((one) => !before.includes(one))).toEqual([]);
    expect(before).not.toContain(id);
    before.push(id ?? '');
  }
  for (const time of [build.timeout, ...steps.map(({ timeout }) => timeout)])
    if (time) expect(time).toMatch(/^\d+s$/);
});

test('every substitution is given by Cloud Build or has a default, and no default is without use', () => {
  // https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values#using_default_substitutions
  const builtIn = ['PROJECT_ID', 'PROJECT_NUMBER', 'BUILD_ID', 'LOCATION', 'BRANCH_NAME', 'COMMIT_SHA'];
  const own = Object.keys(build.substitutions ?? {});
  // `$$` is a dollar sign for the shell.
  const used = [
    ...JSON.stringify(steps)
      .replaceAll('$$', '')
      .matchAll(/\$\{?(\w+)/g),
  ].map(([, name]) => name);
  expect(used.filter((name) => ![...builtIn, ...own].includes(name ?? ''))).toEqual([]);
  expect(own.filter((name) => !used.includes(name))).toEqual([]);
});

test('every script of npm that it runs is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const run = steps.flatMap(({ args }) => (args?.[0] === 'run' ? [args[1]] : []));
  expect(run.filter((name) => !((name ?? '') in scripts))).toEqual([]);
});

test.each([
  [
    'apply',
    'main',
    ['plan -input=false -lock=false -out=/workspace/plan', 'apply -input=false /workspace/plan'],
  ],
  ['plan', 'main', ['plan -input=false -lock=false -out=/workspace/plan']],
  ['apply', 'a-branch', ['plan -input=false -lock=false -out=/workspace/plan']],
  ['plan', '', ['plan -input=false -lock=false -out=/workspace/plan']],
])('by the trigger for %s, branch %j: %j', (action, branch, wanted) => {
  const log = join(scratch, 'log');
  writeFileSync(log, '');
  const terraform = `#!/bin/sh\n[ "$(printf %s "$TF_VAR_channel_secret" | wc -c)" -gt 40 ] && echo "$@" >> ${log}\n`;
  writeFileSync(join(scratch, 'terraform'), terraform, { mode: 0o755 });
  for (const { entrypoint, args } of steps) {
    if (entrypoint !== 'sh') continue;
    const script = args?.map((one) =>
      one.replaceAll('$_ACTION', action).replaceAll('$BRANCH_NAME', branch).replaceAll('$$', '$'),
    );
    execFileSync('sh', script, { env: { PATH: `${scratch}:${process.env.PATH}` } });
  }
  expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual(wanted);
});
