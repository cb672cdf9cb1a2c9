import Table from 'cli-table3';

/** The value below which a share `q` (0 to 1) of all values lie. */
export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const median = (values: number[]) => quantile(values, 0.5);

export function table(head: string[], rows: (string | number)[][]): string {
  const cells = new Table({ head, style: { head: [], border: [], compact: true } });
  cells.push(...rows);
  return cells.toString();
}
