import { withoutTimes } from './withoutTimes.ts';

/** Cells may be quoted and hold commas and line breaks. */
const cell = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/g;
const contentOf = (cell: string) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);

/** A tab-separated line can hold neither tabs nor line breaks. */
export function toTabs(csv: string): string {
  let tabs = '';
  for (const [, text = '', end = ''] of csv.matchAll(cell)) {
    tabs += contentOf(text).replace(/[\t\r\n]+/g, ' ') + (end === ',' ? '\t' : end);
  }
  return tabs;
}

/** A workbook of one sheet. */
export async function toExcel(csv: string): Promise<Buffer> {
  const { default: writeExcel } = await import('write-excel-file/node');
  return withoutTimes(await writeExcel(rowsOf(csv)).toBuffer());
}

function rowsOf(csv: string) {
  const rows: (string | number | null)[][] = [[]];
  for (const [all, text = '', end = ''] of csv.matchAll(cell)) {
    // What comes after the last line break is no line.
    if (all !== '' || rows.at(-1)?.length) rows.at(-1)?.push(typed(contentOf(text)));
    if (end !== ',' && end !== '') rows.push([]);
  }
  return rows;
}

/** A number if it is written as one; XML holds no control characters. */
function typed(value: string): string | number | null {
  if (value === '') return null;
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(value)) return Number(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in it
  return value.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
}
