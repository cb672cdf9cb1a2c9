import { GoogleError } from '../googleError.ts';

type Step = { many: boolean; accepts(char: string): boolean };

/**
 * Whether a name matches a glob: `*` and `?` stop at slashes, `**` does not, `[a-z]`, `[!a]`, `{a,b}`.
 * All ways of matching are followed at once, so that no glob takes long.
 * https://cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob
 */
export function globMatcher(glob: string): (name: string) => boolean {
  const alternatives = expandBraces(glob).map(parse);
  return (name) => alternatives.some((steps) => matches(steps, name));
}

function matches(steps: Step[], name: string): boolean {
  const skipMany = (at: Set<number>) => {
    // A set that grows while it is walked is walked to its end.
    for (const step of at) if (steps[step]?.many) at.add(step + 1);
    return at;
  };
  let at = skipMany(new Set([0]));
  for (const char of name) {
    const next = new Set<number>();
    for (const index of at) {
      const step = steps[index];
      if (step?.accepts(char)) next.add(step.many ? index : index + 1);
    }
    at = skipMany(next);
  }
  return at.has(steps.length);
}

function parse(glob: string): Step[] {
  const token = /\*\*\/?|\*|\?|\[(!|\^)?([^\]]+)\]|\\?(.)/gsu;
  return Array.from(glob.matchAll(token), ([whole, not, set, plain]): Step => {
    if (whole.startsWith('**')) return { many: true, accepts: () => true };
    if (whole === '*') return { many: true, accepts: (char) => char !== '/' };
    if (whole === '?') return { many: false, accepts: (char) => char !== '/' };
    if (set === undefined) return { many: false, accepts: (char) => char === plain };
    const ranges = Array.from(set.matchAll(/(.)-(.)|(.)/gsu), ([, from, to, one]) => [
      from ?? one ?? '',
      to ?? one ?? '',
    ]);
    const within = (char: string) => ranges.some(([from = '', to = '']) => from <= char && char <= to);
    return { many: false, accepts: (char) => char !== '/' && within(char) !== (not !== undefined) };
  });
}

function expandBraces(glob: string): string[] {
  let globs = [glob];
  for (;;) {
    const expanded = globs.flatMap((one) => {
      const [match, before = '', inner = '', after = ''] = /^(.*?)\{([^{}]*)\}(.*)$/su.exec(one) ?? [];
      return match === undefined ? [one] : inner.split(',').map((choice) => before + choice + after);
    });
    if (expanded.length > 100) throw new GoogleError(400, 'invalid', 'The glob has too many alternatives.');
    if (expanded.length === globs.length && expanded.every((one, index) => one === globs[index]))
      return globs;
    globs = expanded;
  }
}
