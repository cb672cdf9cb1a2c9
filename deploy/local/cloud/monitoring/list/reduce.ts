import { invalidField, notHere } from '../monitoringError.ts';
import type { Identity } from '../series/series.ts';
import type { Shown } from './align.ts';
import { combine, isCombination, typeOf } from './combine.ts';
import { fieldOf } from './filter.ts';

const field = 'aggregation.crossSeriesReducer';

/** One series for each group of series that have these fields in common. @throws 400, 501 */
export function reduce(all: Shown[], name: string, groupBy: string[]): Shown[] {
  const reducer = name.replace(/^REDUCE_/, '');
  if (!isCombination(reducer)) {
    if (/^(PERCENTILE_\d\d|COUNT_TRUE|COUNT_FALSE|FRACTION_TRUE)$/.test(reducer)) throw notHere(name);
    throw invalidField(field, name, 'It is not known.');
  }
  const fields = ['resource.type', 'project', ...groupBy].map((path) => ({ path, ...fieldOf(path) }));
  const groups = Map.groupBy(all, (series) => JSON.stringify(fields.map(({ of }) => of(series) ?? '')));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const moments = Map.groupBy(
      group.flatMap(({ points }) => points),
      ({ end }) => end,
    );
    const points = [...moments]
      .sort(([a], [b]) => b - a)
      .map(([end, here]) => ({
        start: here[0]?.start ?? end,
        end,
        value: combine(
          field,
          reducer,
          here.map(({ value }) => Number(value)),
        ),
      }));
    return [{ ...first, ...kept(first, groupBy), valueType: typeOf(reducer, first.valueType), points }];
  });
}

/** What can still be said of what a series is of. */
function kept({ metric, resource }: Identity, groupBy: string[]): Identity {
  const labels = (subject: 'metric' | 'resource', given: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(given).filter(
        ([label]) =>
          (subject === 'resource' && label === 'project_id') ||
          groupBy.some((path) => path.replace('.label.', '.labels.') === `${subject}.labels.${label}`),
      ),
    );
  return {
    metric: { type: metric.type, labels: labels('metric', metric.labels) },
    resource: { type: resource.type, labels: labels('resource', resource.labels) },
  };
}
