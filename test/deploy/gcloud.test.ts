import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { commandsIn, gcloudCommands } from './gcloudCommands.ts';
import { testGcloud, useGcloud } from './local/cloud/useGcloud.ts';

const used = useGcloud({ project: 'lab-of-gaze' });

type Linted = { success: boolean; command_string: string; error_message: string | null };

/** gcloud's own look at commands, without a network. It warns that it may change; so far it has not. */
async function lint(commands: string[]): Promise<Linted[]> {
  const file = join(used.dir, 'commands.json');
  writeFileSync(file, JSON.stringify(commands.map((command_string) => ({ command_string }))));
  return JSON.parse(await used.gcloud(['meta', 'lint-gcloud-commands', `--commands-file=${file}`], {}));
}

test('commands are found wherever they stand', () => {
  const document = [
    'Ask `gcloud storage ls gs://raw` or gcloud itself.',
    '```sh',
    '# gcloud is not run in a comment',
    'SUB=$(gcloud pubsub topics describe \\',
    '  $TOPIC --format=json) && gcloud config list | head',
    '```',
  ];
  expect(commandsIn('a.md', document.join('\n'))).toEqual([
    'gcloud pubsub topics describe x1 --format=json',
    'gcloud storage ls gs://raw',
  ]);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it stands in a file that is read.
  expect(commandsIn('a.ts', 'const help = `gcloud compute disks delete ${name} --zone ${zone}`;')).toEqual([
    'gcloud compute disks delete x1 --zone x1',
  ]);
  expect(
    commandsIn('b.yaml', 'steps: [{entrypoint: gcloud, args: [storage, ls, gs://$PROJECT_ID-a]}]'),
  ).toEqual(['gcloud storage ls gs://x1-a']);
});

testGcloud(
  'every gcloud command in documents, scripts and messages is one that gcloud knows',
  async () => {
    // Of two that are the same, it answers for one.
    const commands = [...Map.groupBy(gcloudCommands(), ({ command }) => command)];
    expect(commands.length).toBeGreaterThan(4);
    const linted = await lint(commands.map(([command]) => command));
    expect(linted).toHaveLength(commands.length);
    const wrong = linted.flatMap(({ success, error_message }, at) => {
      const [command, places = []] = commands[at] ?? [];
      return success ? [] : [{ command, files: places.map(({ file }) => file), because: error_message }];
    });
    expect(wrong).toEqual([]);
  },
  60_000,
);

testGcloud(
  'one with a flag that is not there is found',
  async () => {
    const [wrong] = await lint(['gcloud pubsub topics create x1 --retentoin=1d']);
    expect(wrong).toMatchObject({
      success: false,
      error_message: expect.stringMatching(/unrecognized arguments/),
    });
  },
  60_000,
);
