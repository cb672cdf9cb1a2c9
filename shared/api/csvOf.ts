import { stringify } from 'csv-stringify/sync';

/**
 * A table with its header. What a spreadsheet would run as a formula gets an apostrophe before it: people write labels.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
export const csvOf = (columns: string[], rows: object[]): string =>
  stringify(rows, {
    columns,
    header: true,
    escape_formulas: true,
    // https://www.rfc-editor.org/rfc/rfc4180
    record_delimiter: 'windows',
    cast: { boolean: String },
  });
