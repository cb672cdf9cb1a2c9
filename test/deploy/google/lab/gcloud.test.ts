import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { openChannel, selfTest } from '../../../../deploy/google/lab/selfTest.ts';
import { openLab, type RunningLab } from '../../../system/lab.ts';
import { testGcloud, useGcloud } from '../../local/cloud/useGcloud.ts';
import { wholeLab } from './healthyLab.ts';
import { givenAnswers, NewLab } from './newLab.ts';

/*
 * With the real gcloud, as far as it goes without Google: what we ask of it, it knows; and its answers are read rightly.
 */
const root = join(import.meta.dirname, '../../../..');
const gcloud = useGcloud({ project: 'my-lab-gaze' } as Parameters<typeof useGcloud>[0]);
let stoodIn: NewLab | undefined;
let running: RunningLab | undefined;
afterAll(async () => {
  await stoodIn?.close();
  await running?.close();
});

testGcloud(
  'every command that is asked of gcloud or told to a person is one that gcloud knows',
  async () => {
    const { answers, objects } = wholeLab();
    stoodIn = await NewLab.make(
      { answers, objects },
      { ...givenAnswers, billing_account: '012345-567890-ABCDEF' },
    );
    for (const args of [['--yes'], ['doctor'], ['--yes', 'destroy']]) {
      const terminal = stoodIn.start(...args);
      await terminal.ended;
    }
    const asked = stoodIn.askedArguments().filter(([program]) => program === 'gcloud');
    const commands = new Set(asked.map((args) => args.map(quoted).join(' ')));
    const typed = [...commands].join('\n');
    for (const verb of [
      'services enable',
      'buckets create',
      'functions list',
      'subscriptions list',
      'topics publish',
    ])
      expect(typed).toContain(verb);
    for (const command of await commandsInWords()) commands.add(command);

    const file = join(stoodIn.dir, 'commands.json');
    const list = [...commands]
      .filter((command) => !command.endsWith(' --version'))
      .map((command) => ({ command_string: command }));
    await writeFile(file, JSON.stringify(list));
    const printed = await gcloud.gcloud(['meta', 'lint-gcloud-commands', `--commands-file=${file}`], {});
    const results = JSON.parse(printed) as {
      command_string: string;
      success: boolean;
      error_message: string | null;
    }[];
    const wrong = results.filter(({ success }) => !success);
    expect(wrong.map(({ command_string, error_message }) => [command_string, error_message])).toEqual([]);
    expect(results.length).toBe(list.length);
  },
  180_000,
);

testGcloud(
  'the self-test follows a file through a running lab with the real gcloud',
  async () => {
    running = await openLab();
    const { dir } = gcloud;
    Object.assign(process.env, {
      CLOUDSDK_CONFIG: join(dir, 'config'),
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
      CLOUDSDK_AUTH_ACCESS_TOKEN: 'fake',
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${running.origin}/`,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB: `${running.origin}/`,
      GAZELINE_PATIENCE_SECONDS: '60',
      GAZELINE_LOOK_SECONDS: '1',
    });
    const project = process.env.GAZELINE_PROJECT ?? '';
    const answers = { ...givenAnswers, project };
    const made = {
      buckets: { raw: 'raw', derived: 'derived', state: 'state' },
      share_with: 'somebody@example',
    };
    expect(await openChannel(answers, made)).toBe(true);
    const test = selfTest(answers, made);
    setTimeout(() => {
      writeFile(join(running?.drive ?? '', 'a lamp.txt'), 'A short story about a lamp and its keeper.').catch(
        () => undefined,
      );
    }, 6000);
    expect(await test).toBe(true);
  },
  180_000,
);

/** As a shell would need it. */
const quoted = (argument: string) =>
  /^[\w@%+=:,./*-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;

/** Those in the documents, and those that our own words tell a person to type. Words in capitals stand for something. */
async function commandsInWords(): Promise<string[]> {
  const docs = (await readdir(join(root, 'docs'))).map((name) => join(root, 'docs', name));
  const documents = await Promise.all(
    [join(root, 'README.md'), ...docs].map((file) => readFile(file, 'utf8')),
  );
  const inDocuments = documents.join('\n').matchAll(/^ *(gcloud (?:[^\n\\]|\\\n)+)$|`(gcloud [^`\n]+)`/gm);
  const lab = join(root, 'deploy/google/lab');
  const sources = await Promise.all((await readdir(lab)).map((name) => readFile(join(lab, name), 'utf8')));
  const inSources = sources.join('\n').matchAll(/[`'] *(gcloud (?!is )[^`'\n]+?)(?:\\n[^`'\n]*)?[`']/g);
  const told = [...inSources].map(([, command = '']) => command.replace(/\$\{[^}]*\}/g, 'some-thing'));
  expect(told.join('\n')).toContain('gcloud billing projects link some-thing');
  return [
    ...[...inDocuments].map(([, block, inline]) => (block ?? inline ?? '').replace(/\\\n/g, ' ').trim()),
    ...told,
  ];
}
