import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const folder = join(import.meta.dirname, '../../notebooks');
const notebooks = readdirSync(folder).filter((name) => name.endsWith('.ipynb'));

type Cell = { cell_type: string; metadata: object; outputs?: unknown[]; execution_count?: number | null };

test.each(notebooks)('%s is in Git without its outputs, which may show anything', (name) => {
  const { cells, metadata } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
    cells: Cell[];
    metadata: object;
  };
  for (const { cell_type, outputs, execution_count, ...cell } of cells) {
    expect(cell.metadata).toEqual({});
    if (cell_type === 'code')
      expect({ outputs, execution_count }).toEqual({ outputs: [], execution_count: null });
  }
  expect(Object.keys(metadata).toSorted()).toEqual(['kernelspec', 'language_info']);
});
