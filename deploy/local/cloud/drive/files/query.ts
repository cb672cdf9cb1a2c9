import type { SQLInputValue } from 'node:sqlite';
import { invalid } from '../request.ts';

export type Condition = { sql: string; values: SQLInputValue[] };

const operators = ['=', '!=', '<', '<=', '>', '>='];
const deepest = 50;

/**
 * Reads the `q` of files.list into a condition on `drive_files`.
 * https://developers.google.com/workspace/drive/api/guides/ref-search-terms
 *
 * @throws 400 `invalid` with location `q` for anything that Drive, or this Drive, does not know
 */
export function parseQuery(q: string, root: string): Condition {
  const values: SQLInputValue[] = [];
  const tokens = q.match(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[<>!]=|[=<>()]|[\w.]+|[^\s]/g) ?? [];
  let next = 0;
  const refuse = () => invalid('q');

  function either(depth: number): string {
    if (depth > deepest) throw refuse();
    const parts = [both(depth)];
    while (tokens[next] === 'or' && next++ >= 0) parts.push(both(depth));
    return `(${parts.join(' OR ')})`;
  }

  function both(depth: number): string {
    const parts = [negated(depth)];
    while (tokens[next] === 'and' && next++ >= 0) parts.push(negated(depth));
    return parts.join(' AND ');
  }

  function negated(depth: number): string {
    if (depth > deepest) throw refuse();
    const token = tokens[next++];
    if (token === 'not') return `NOT ${negated(depth + 1)}`;
    if (token !== '(') return term(token ?? '');
    const inner = either(depth + 1);
    if (tokens[next++] !== ')') throw refuse();
    return inner;
  }

  function term(field: string): string {
    const operator = tokens[next++] ?? '';
    const value = tokens[next++] ?? '';
    if (operator === 'in') return member(field, value);
    if (operator === 'contains') return contains(field, string(value));
    if (!operators.includes(operator)) throw refuse();
    const isEquality = operator === '=' || operator === '!=';
    switch (field) {
      case 'name':
      case 'mimeType':
        if (!isEquality) throw refuse();
        return compare(field === 'name' ? 'name COLLATE NOCASE' : field, operator, string(value));
      case 'shortcutDetails.targetId':
        if (!isEquality) throw refuse();
        return compare("coalesce(targetId, '')", operator, string(value));
      case 'modifiedTime':
      case 'createdTime':
        return compare(field, operator, time(string(value)));
      case 'trashed':
      case 'starred':
        if (!isEquality) throw refuse();
        return compare(field, operator, boolean(value));
      case 'sharedWithMe':
        // Shared is the folder, not what is in it.
        if (!isEquality) throw refuse();
        return compare(`(id = '${root}')`, operator, boolean(value));
      default:
        throw refuse();
    }
  }

  function compare(expression: string, operator: string, value: SQLInputValue): string {
    values.push(value);
    return `${expression} ${operator} ?`;
  }

  /** Words are found by their beginnings, whatever the case: `Hello` is in `HelloWorld`, `World` is not. */
  function contains(field: string, value: string): string {
    if (field !== 'name' && field !== 'mimeType') throw refuse();
    const pattern = value.replace(/[\\%_]/g, '\\$&');
    if (field === 'mimeType') {
      values.push(`${pattern}%`);
      return `mimeType LIKE ? ESCAPE '\\'`;
    }
    const starts = ['', ...' -_.,()[]'].map((before) => (before === '_' ? '\\_' : before));
    values.push(...starts.map((before) => `${before && `%${before}`}${pattern}%`));
    return `(${starts.map(() => `name LIKE ? ESCAPE '\\'`).join(' OR ')})`;
  }

  function member(value: string, collection: string): string {
    const id = string(value);
    if (collection === 'parents') return compare('parent', 'IS', id === 'root' ? root : id);
    if (collection === 'owners') return id === 'me' ? '0' : '1';
    throw refuse();
  }

  function string(token: string): string {
    if (!/^(['"]).*\1$/s.test(token) || token.length < 2) throw refuse();
    return token.slice(1, -1).replace(/\\(.)/gs, '$1');
  }

  function boolean(token: string): number {
    if (token !== 'true' && token !== 'false') throw refuse();
    return Number(token === 'true');
  }

  function time(value: string): string {
    // Without a zone it is UTC.
    const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(value) || !value.includes('T') ? value : `${value}Z`;
    const date = new Date(zoned);
    if (!/^\d{4}-\d\d-\d\d/.test(value) || Number.isNaN(date.getTime())) throw refuse();
    return date.toISOString();
  }

  const sql = either(0);
  if (next < tokens.length) throw refuse();
  return { sql, values };
}
