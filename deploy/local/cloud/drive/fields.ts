import { GoogleError } from '../googleError.ts';

/** What may be selected: a name of a field, and what is in it, or `true` where anything is accepted. */
export type Fields = { [name: string]: Fields | true };

/** Fields that are selected whole. */
export const fieldsOf = (names: string): Fields =>
  Object.fromEntries(names.split(' ').map((name) => [name, true as const]));

const deepest = 20;

/**
 * Reads a mask such as `nextPageToken,files(id,owners/emailAddress)`.
 * https://developers.google.com/workspace/drive/api/guides/fields-parameter
 *
 * @throws 400 `invalidParameter` for a field that does not exist
 */
export function parseFields(mask: string, known: Fields | true): Fields {
  const tokens = mask.match(/[\w*]+|[^\s]/g) ?? [];
  let next = 0;
  const refuse = (what: string) =>
    new GoogleError(400, 'invalidParameter', `Invalid field selection ${what}`, {
      locationType: 'parameter',
      location: 'fields',
    });

  function list(known: Fields | true, depth: number): Fields {
    if (depth > deepest) throw refuse(mask.slice(0, 100));
    const selected: Fields = Object.create(null) as Fields;
    do item(selected, known, depth);
    while (tokens[next] === ',' && next++ >= 0);
    return selected;
  }

  function item(selected: Fields, known: Fields | true, depth: number): void {
    const name = tokens[next++] ?? '';
    if (!/^([\w]+|\*)$/.test(name) || depth > deepest) throw refuse(name || mask.slice(0, 100));
    if (name !== '*' && known !== true && !Object.hasOwn(known, name)) throw refuse(name);
    const inner = known === true || name === '*' ? true : (known[name] ?? true);
    let below: Fields | true = true;
    if (tokens[next] === '/') {
      next++;
      below = Object.create(null) as Fields;
      item(below, inner, depth + 1);
    } else if (tokens[next] === '(') {
      next++;
      below = list(inner, depth + 1);
      if (tokens[next++] !== ')') throw refuse(mask.slice(0, 100));
    }
    const before = selected[name];
    selected[name] = before === true || below === true ? true : { ...before, ...below };
  }

  const fields = list(known, 0);
  if (next < tokens.length) throw refuse(tokens[next] ?? '');
  return fields;
}

/** The part of a JSON value that was selected. */
export function select(value: unknown, fields: Fields | true): unknown {
  if (fields === true || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => select(one, fields));
  const entries = Object.entries(value).flatMap(([name, inner]) => {
    const below = fields[name] ?? fields['*'];
    return below === undefined ? [] : [[name, select(inner, below)]];
  });
  return Object.fromEntries(entries);
}
