/** The name that was probably meant: one slip for three characters, at most three. */
export function didYouMean(written: string, names: readonly string[]): string | undefined {
  if (written.length > 50) return undefined;
  const near = names
    .map((name) => ({ name, slips: distance(written.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, slips }) => slips <= Math.min(3, Math.ceil(name.length / 3)))
    .sort((one, other) => one.slips - other.slips);
  return near[0]?.name;
}

/** Insertions, removals, replacements and exchanged neighbours between two short texts (Damerau). */
function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= one.length; row++) {
    const costs = [row];
    rows.push(costs);
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1] ? 0 : 1;
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      costs[column] = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + same,
        swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return at(one.length, other.length);
}
