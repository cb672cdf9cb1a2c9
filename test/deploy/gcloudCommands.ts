import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');

export type Command = { file: string; command: string };

/** Every gcloud command that a person or a script is told to run: in documents, scripts, messages and builds. */
export function gcloudCommands(): Command[] {
  const files = ['README.md', 'CONTRIBUTING.md', 'cloudbuild.yaml', ...below('docs'), ...below('deploy')];
  return [...files, ...below('shared'), ...below('cli')].flatMap((file) =>
    commandsIn(file, readFileSync(join(root, file), 'utf8')).map((command) => ({ file, command })),
  );
}

export function commandsIn(file: string, text: string): string[] {
  if (file.endsWith('.yaml')) return inBuild(text);
  const found = file.endsWith('.md') ? inDocument(text) : inQuotes(text);
  return found.map(withValues).filter((one) => one.split(' ').length > 2);
}

function inBuild(text: string): string[] {
  const { steps = [] } = parse(text) as { steps?: { entrypoint?: string; args?: string[] }[] };
  const own = steps.filter(({ entrypoint }) => entrypoint === 'gcloud');
  return own.map(({ args = [] }) => withValues(`gcloud ${args.join(' ')}`));
}

/** In code blocks, up to what the shell makes of the rest; and between backticks. */
function inDocument(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```.*\n([\s\S]*?)^ *```/gm)].map(([, code = '']) => code);
  const lines = blocks
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const inBlocks = lines.flatMap((line) => {
    const [command] = /(?<=^|[ ($])gcloud [^|;&)>#]*/.exec(line.replace(/^\s*#.*/, '')) ?? [];
    return command ? [command] : [];
  });
  return [...inBlocks, ...inQuotes(text.replaceAll(/^ *```.*\n[\s\S]*?^ *```/gm, ''))];
}

/** `gcloud …` between backticks or quotes, as long as it stands alone there. */
const inQuotes = (text: string): string[] =>
  [...text.matchAll(/([`'"])(gcloud (?:(?!\1|\n)[^|;&])*)\1/g)].map(([, , command = '']) => command);

/** What a person is to write in its place. */
const places =
  /\b(?:(?:BILLING_)?ACCOUNT|BUCKET|EMAIL|FOLDER|FUNCTION|NAME|PERSON|PROJECT|REGION|ZONE)(?:_ID)?\b/g;

/** What is put in only when it is printed becomes some word. */
const withValues = (command: string): string =>
  command
    .replaceAll(/\$\{[^}]*\}|\$\w+/g, 'x1')
    .replaceAll('…', 'x1')
    .replaceAll(places, 'somewhere1')
    .trim();

const below = (folder: string): string[] => {
  try {
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(md|sh|ts|tf)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};
