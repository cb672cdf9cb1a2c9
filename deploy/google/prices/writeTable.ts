import type { PriceTable } from '../../../shared/machines/priceTable.ts';

/** A line for each kind, so that a change of prices can be read as a difference. */
export function writeTable(table: PriceTable): string {
  const entries = Object.entries(table).map(([name, value]) => {
    if (Array.isArray(value))
      return `"${name}": [\n${value.map((one) => `    ${spaced(one)}`).join(',\n')}\n  ]`;
    if (typeof value !== 'object') return `"${name}": ${JSON.stringify(value)}`;
    const inner = Object.entries(value).map(([key, one]) => `    "${key}": ${spaced(one)}`);
    return `"${name}": {\n${inner.join(',\n')}\n  }`;
  });
  return `{\n${entries.map((entry) => `  ${entry}`).join(',\n')}\n}\n`;
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([key, inner]) => `"${key}": ${spaced(inner)}`).join(', ')}}`;
}
