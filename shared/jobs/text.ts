import * as z from 'zod';

/**
 * Kinds of text in a job. They end up in a shell script, in a line of a metadata value or in a terminal, so none holds
 * what would be a line or an option of its own there. A message says what would be accepted; `parseJob` puts the field
 * and the value before it.
 */
const control = /[\p{Cc}\u2028\u2029]/u;
const controlButLines = /(?![\n\t])[\p{Cc}\u2028\u2029]/u;
/** That turn the reading direction round: a command would not do what it looks like. */
const turning = /[\u202a-\u202e\u2066-\u2069]/u;
const sound = (text: string) => text.isWellFormed() && !turning.test(text);

export const line = (most: number) =>
  z
    .string('expected a text')
    .min(1, 'is empty; expected a text')
    .max(most, `is too long; expected at most ${most} characters`)
    .refine((text) => sound(text) && !control.test(text), 'expected one line without control characters');

export const lines = (most: number) =>
  z
    .string('expected a text')
    .regex(/\S/, 'is empty; expected a text')
    .max(most, `is too long; expected at most ${most} characters`)
    .refine(
      (text) => sound(text) && !controlButLines.test(text),
      'expected a text without control characters',
    );

/** A file or folder in the working tree. A leading `-` would be an option of whatever program is given it. */
export const pathIn = (what: string) =>
  line(500).refine(
    isPathIn,
    `expected a path in the ${what}, as folder/name: not absolute, no “..”, no “\\”, no part that begins with “-”`,
  );

export function isPathIn(path: string): boolean {
  const parts = path.replace(/\/$/, '').split('/');
  return !path.includes('\\') && parts.every((part) => !/^(|\.|\.\.|-.*|\s.*|.*\s)$/.test(part));
}

/** `results/` and `results` are one folder. */
export const folderIn = (what: string) => pathIn(what).transform((path) => path.replace(/\/$/, ''));

/** What `git fetch` may be given: https://git-scm.com/docs/git-check-ref-format */
export const gitRef = line(250).refine(
  (ref) =>
    /^[^-/.@~^:?*[\]\\\s][^~^:?*[\]\\\s]*$/.test(ref) && !/\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|[/.]$/.test(ref),
  'expected a branch, a tag or a commit',
);

export const repositoryUrl = (allowFile: boolean) =>
  line(500).superRefine((text, context) => {
    const problem = problemOfUrl(text, allowFile);
    if (problem) context.addIssue(problem);
  });

function problemOfUrl(text: string, allowFile: boolean): string | undefined {
  const expected = `expected ${allowFile ? 'https://… or file:///…' : 'https://…'}, as https://github.com/lab/analysis`;
  const url = URL.parse(text);
  if (!url || /\s/.test(text) || text.includes('\\')) return expected;
  if (url.username || url.password)
    return `holds a user name or password, which all readers of the job would see; ${expected}`;
  if (url.search || url.hash) return `expected the address alone, without ? and #`;
  if (url.protocol === 'file:' && allowFile)
    return url.host === '' && text.startsWith('file:///') ? undefined : expected;
  if (url.protocol !== 'https:' || !/^https:\/\//i.test(text) || url.pathname === '/') return expected;
  return undefined;
}

/** https://docs.docker.com/reference/cli/docker/image/tag/ */
export const imageName = line(300).regex(
  /^[a-z0-9]+([.-][a-z0-9]+)*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
  'expected the name of an image, as docker.io/library/python:3.13',
);
