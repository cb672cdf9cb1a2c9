import { invalidField, notHere } from '../monitoringError.ts';
import type { Identity } from '../series/series.ts';

export type Filter = {
  matches(series: Identity): boolean;
  /** What `metric.type` is said to be. */
  metricTypes: string[];
};

type Test = (series: Identity) => boolean;

/**
 * Reads a filter of Monitoring: `metric.type = "…" AND resource.labels.zone = one_of("…", "…")`. Comparisons side by side
 * must all hold, and OR binds closer than AND: https://google.aip.dev/160
 * https://cloud.google.com/monitoring/api/v3/filters
 * @throws 400, 501
 */
export function parseFilter(text: string): Filter {
  let at = 0;
  const metricTypes: string[] = [];
  /** What matches here, behind spaces; nothing is passed over if it does not. */
  const take = (pattern: string): string | undefined => {
    const here = new RegExp(`\\s*(${pattern})`, 'y');
    here.lastIndex = at;
    const found = here.exec(text);
    if (found) at = here.lastIndex;
    return found?.[1];
  };
  const need = (pattern: string): string => {
    const found = take(pattern);
    if (found === undefined) throw invalidField('filter', text, `Could not parse filter at position ${at}.`);
    return found;
  };
  const isAtEnd = () => text.slice(at).trim() === '';

  const every = (): Test => {
    const parts = [either()];
    while (!isAtEnd() && !/^\s*\)/.test(text.slice(at))) {
      take('AND(?=[\\s(])');
      parts.push(either());
    }
    return (series) => parts.every((part) => part(series));
  };
  const either = (): Test => {
    const parts = [one()];
    while (take('OR(?=[\\s(])') !== undefined) parts.push(one());
    return (series) => parts.some((part) => part(series));
  };
  const one = (): Test => {
    if (take('NOT(?=[\\s(])|-') !== undefined) {
      const part = one();
      return (series) => !part(series);
    }
    if (take('\\(') === undefined) return comparison();
    const inner = every();
    need('\\)');
    return inner;
  };
  const comparison = (): Test => {
    const read = fieldOf(need('[a-z_]+(?:\\.(?:\\w+|"[^"]*"))*'));
    const operator = need('!=|=|:');
    const called = take(
      '(?:one_of|starts_with|ends_with|has_substring|monitoring\\.regex\\.full_match)(?=\\s*\\()',
    );
    const values: string[] = [];
    if (called) {
      need('\\(');
      do values.push(value());
      while (take(',') !== undefined);
      need('\\)');
    } else values.push(value());
    if (read.isMetricType && operator === '=' && (!called || called === 'one_of'))
      metricTypes.push(...values);
    const test = testOf(operator === ':' ? 'has_substring' : (called ?? 'one_of'), values);
    return (series) => test(read.of(series) ?? '') === (operator !== '!=');
  };
  const value = () => {
    const token = need('"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|[\\w./:@-]+');
    return /^["']/.test(token) ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token;
  };

  if (isAtEnd()) return { matches: () => true, metricTypes };
  const matches = every();
  if (!isAtEnd()) need('$');
  return { matches, metricTypes };
}

type Field = { of: (series: Identity) => string | undefined; isMetricType: boolean };

/** `metric.type`, `resource.labels.zone`, `resource.label.zone`, `project`. @throws 400, 501 */
export function fieldOf(path: string): Field {
  const isMetricType = path === 'metric.type';
  if (path === 'project') return { of: ({ resource }) => resource.labels.project_id, isMetricType };
  const [subject, kind, quoted = '', ...more] = path.split('.');
  const label = quoted.replaceAll('"', '');
  if (subject === 'metadata' || subject === 'group') throw notHere(`filters by ${path}`);
  if ((subject === 'metric' || subject === 'resource') && more.length === 0) {
    if (kind === 'type' && label === '') return { of: (series) => series[subject].type, isMetricType };
    if ((kind === 'labels' || kind === 'label') && label !== '')
      return { of: (series) => series[subject].labels[label], isMetricType };
  }
  throw invalidField('filter', path, 'The field is not known.');
}

function testOf(name: string, values: string[]): (value: string) => boolean {
  const [wanted = ''] = values;
  switch (name) {
    case 'starts_with':
      return (value) => value.startsWith(wanted);
    case 'ends_with':
      return (value) => value.endsWith(wanted);
    case 'has_substring':
      return (value) => value.includes(wanted);
    case 'monitoring.regex.full_match':
      try {
        const pattern = new RegExp(`^(?:${wanted})$`);
        return (value) => pattern.test(value);
      } catch {
        throw invalidField('filter', wanted, 'The regular expression could not be parsed.');
      }
    default:
      return (value) => values.includes(value);
  }
}
