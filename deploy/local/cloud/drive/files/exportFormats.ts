import { documentType, drawingType, presentationType, spreadsheetType } from '../names.ts';
import { toPng, toSvg } from './exports/drawing.ts';
import { documentToPdf, slidesToPdf } from './exports/pdf.ts';
import { toExcel, toTabs } from './exports/sheet.ts';
import { toWord } from './exports/word.ts';

/** The same text gives the same bytes, whenever it is exported. */
export type Convert = (text: string) => string | Promise<Buffer>;
export type ExportFormats = { [mimeType: string]: { extension: string; convert: Convert } };

const office = 'application/vnd.openxmlformats-officedocument';
const asIs: Convert = (text) => text;

/**
 * What each kind of document can be exported to; its bytes here are its plain text, the sheet's CSV, or the drawing's
 * SVG. Kinds that are not here cannot be exported at all.
 */
export const exportFormats: { [nativeType: string]: ExportFormats } = {
  [documentType]: {
    'text/plain': { extension: 'txt', convert: asIs },
    'text/markdown': { extension: 'md', convert: asIs },
    'text/html': { extension: 'html', convert: toHtml },
    [`${office}.wordprocessingml.document`]: { extension: 'docx', convert: toWord },
    'application/pdf': { extension: 'pdf', convert: documentToPdf },
  },
  [spreadsheetType]: {
    'text/csv': { extension: 'csv', convert: asIs },
    'text/tab-separated-values': { extension: 'tsv', convert: toTabs },
    [`${office}.spreadsheetml.sheet`]: { extension: 'xlsx', convert: toExcel },
    'application/pdf': { extension: 'pdf', convert: (csv) => documentToPdf(toTabs(csv)) },
  },
  [presentationType]: {
    'text/plain': { extension: 'txt', convert: asIs },
    'application/pdf': { extension: 'pdf', convert: slidesToPdf },
  },
  [drawingType]: {
    'image/svg+xml': { extension: 'svg', convert: toSvg },
    'image/png': { extension: 'png', convert: toPng },
  },
};

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function toHtml(text: string): string {
  const escaped = text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
  const paragraphs = escaped.split(/\r?\n/).map((line) => `<p>${line}</p>`);
  return `<html><head><meta charset="utf-8"></head><body>${paragraphs.join('')}</body></html>`;
}
