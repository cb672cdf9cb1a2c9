import { createRequire } from 'node:module';
import { buffer } from 'node:stream/consumers';

/** One that has most of the world's letters, and is the same on every machine. */
const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
/** Wrapping takes time that grows with the square of a word's length. */
const longWord = /\S{100}/g;
const made = new Date('2000-01-01T00:00:00Z');

export const documentToPdf = (text: string) => toPdf([text], { size: 'A4' }, 11);

/** Lines of `---` stand between two slides. */
export const slidesToPdf = (text: string) => toPdf(text.split(/^---\r?\n?$/m), { size: [960, 540] }, 28);

async function toPdf(pages: string[], options: PDFKit.PDFDocumentOptions, size: number): Promise<Buffer> {
  const { default: PdfDocument } = await import('pdfkit');
  const pdf = new PdfDocument({ ...options, font, info: { CreationDate: made }, autoFirstPage: false });
  const whole = buffer(pdf);
  for (const page of pages) {
    pdf.addPage().fontSize(size).text(page.trim().replaceAll('\t', '    ').replace(longWord, '$& '));
  }
  pdf.end();
  return whole;
}
