import { documentType, presentationType, spreadsheetType } from '../names.ts';

export type Convert = (text: string) => string | Promise<Buffer>;
export type ExportFormats = { [mimeType: string]: { extension: string; convert: Convert } };

const wordType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const asIs: Convert = (text) => text;

/** What each kind of document can be exported to; its bytes here are its plain text, or the sheet's CSV. */
export const exportFormats: { [nativeType: string]: ExportFormats } = {
  [documentType]: {
    'text/plain': { extension: 'txt', convert: asIs },
    'text/markdown': { extension: 'md', convert: asIs },
    'text/html': { extension: 'html', convert: toHtml },
    [wordType]: { extension: 'docx', convert: toWord },
  },
  [spreadsheetType]: {
    'text/csv': { extension: 'csv', convert: asIs },
    'text/tab-separated-values': { extension: 'tsv', convert: toTabs },
  },
  [presentationType]: { 'text/plain': { extension: 'txt', convert: asIs } },
};

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function toHtml(text: string): string {
  const escaped = text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
  const paragraphs = escaped.split(/\r?\n/).map((line) => `<p>${line}</p>`);
  return `<html><head><meta charset="utf-8"></head><body>${paragraphs.join('')}</body></html>`;
}

async function toWord(text: string): Promise<Buffer> {
  const { Document, Packer, Paragraph } = await import('docx');
  const children = text.split(/\r?\n/).map((line) => new Paragraph(line));
  return Packer.toBuffer(new Document({ sections: [{ children }] }));
}

/** Cells may be quoted and hold commas and line breaks, which a tab-separated line cannot. */
function toTabs(csv: string): string {
  const cells = csv.matchAll(/("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/g);
  let tabs = '';
  for (const [, cell = '', end = ''] of cells) {
    const value = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
    tabs += value.replace(/[\t\r\n]+/g, ' ') + (end === ',' ? '\t' : end);
  }
  return tabs;
}
