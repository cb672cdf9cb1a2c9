import { invalid } from './errors.ts';

export type Filter = (attributes: Record<string, string>) => boolean;

const token =
  /\s*(?:((?:AND|OR|NOT|hasPrefix|attributes)(?![\w-])|!=|[-=:(),.])|([A-Za-z_][\w-]*)|"((?:[^"\\]|\\.)*)")/y;
const parsed = new Map<string, Filter>([['', () => true]]);

/**
 * The filter of a subscription, for example `attributes.kind = "image" AND NOT hasPrefix(attributes.name, "tmp/")`.
 * @throws 400 if it cannot be read. https://cloud.google.com/pubsub/docs/subscription-message-filter#filtering_syntax
 */
export function parseFilter(text: string): Filter {
  let filter = parsed.get(text);
  if (!filter) {
    if (Buffer.byteLength(text) > 256) throw invalid('The filter is longer than 256 bytes');
    filter = read(text);
    parsed.set(text, filter);
  }
  return filter;
}

type Token = { sign?: string; word?: string; quoted?: string };

function read(text: string): Filter {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  let end = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [, sign, word, quoted] = match;
    end = token.lastIndex;
    if (sign) tokens.push({ sign });
    else if (word) tokens.push({ word });
    else tokens.push({ quoted: (quoted ?? '').replace(/\\(.)/g, '$1') });
  }
  const wrong = () => invalid(`Invalid filter: ${text}`);
  if (text.slice(end).trim()) throw wrong();

  const next = (sign: string) => tokens[0]?.sign === sign && tokens.shift() !== undefined;
  const expect = (sign: string) => {
    if (!next(sign)) throw wrong();
  };
  /** An attribute's key: a word, or in quotes when it has other characters. */
  const key = () => {
    const { word, quoted, sign } = tokens.shift() ?? {};
    const found = word ?? quoted ?? (sign && /^\w+$/.test(sign) ? sign : undefined);
    if (found === undefined) throw wrong();
    return found;
  };
  const string = () => {
    const { quoted } = tokens.shift() ?? {};
    if (quoted === undefined) throw wrong();
    return quoted;
  };

  function either(): Filter {
    const parts = [both()];
    while (next('OR')) parts.push(both());
    return parts.length === 1 ? (parts[0] as Filter) : (attributes) => parts.some((one) => one(attributes));
  }
  function both(): Filter {
    const parts = [one()];
    while (next('AND')) parts.push(one());
    return parts.length === 1 ? (parts[0] as Filter) : (attributes) => parts.every((one) => one(attributes));
  }
  function one(): Filter {
    if (next('NOT') || next('-')) {
      const negated = one();
      return (attributes) => !negated(attributes);
    }
    if (next('(')) {
      const inner = either();
      expect(')');
      return inner;
    }
    if (next('hasPrefix')) {
      expect('(');
      expect('attributes');
      expect('.');
      const name = key();
      expect(',');
      const prefix = string();
      expect(')');
      return (attributes) => Object.hasOwn(attributes, name) && !!attributes[name]?.startsWith(prefix);
    }
    expect('attributes');
    if (next(':')) {
      const name = key();
      return (attributes) => Object.hasOwn(attributes, name);
    }
    expect('.');
    const name = key();
    const equal = next('=');
    if (!equal) expect('!=');
    const value = string();
    return (attributes) => (Object.hasOwn(attributes, name) && attributes[name] === value) === equal;
  }

  const filter = either();
  if (tokens.length > 0) throw wrong();
  return filter;
}
