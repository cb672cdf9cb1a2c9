import { escapeXml, renderSvg } from './renderSvg.ts';

/** A word and the rectangle that holds its ink, in whole pixels from the top left corner of the page. */
export type Word = { text: string; x: number; y: number; width: number; height: number };

export type PageOptions = {
  /** The size of the page in pixels; 1024 × 768 unless told. */
  width?: number;
  height?: number;
  /** White space on all four sides in pixels; 64 unless told. */
  margin?: number;
  /** The font size in pixels, brought to where a character is a whole number of pixels wide; 25 unless told. */
  fontSize?: number;
  /** A heading in bold above the text; its words are in `words` too, in front. */
  title?: string;
};

/** DejaVu Sans Mono, in parts of the font size: the width of each character, and the reach above and below its line. */
const [advance, ascent, descent] = [1233 / 2048, 1901 / 2048, 483 / 2048];

/**
 * Draws `text` in black on near-white: an image of a page, and where each of its words is, in reading order.
 *
 * A word is what stands between white space. Lines are wrapped here, on a grid of characters of equal width, so that
 * the place of every word is known and not measured. A line break in `text` is one on the page; an empty line stays.
 * @throws RangeError if the text does not fit on the page.
 */
export async function renderPage(
  text: string,
  options: PageOptions = {},
): Promise<{ png: Buffer; words: Word[] }> {
  const { width = 1024, height = 768, margin = 64, fontSize = 25, title } = options;
  const words: Word[] = [];
  const drawn: string[] = [];
  let top = margin;

  function write(block: string, wantedSize: number, weight: 'normal' | 'bold') {
    const cell = Math.max(1, Math.round(wantedSize * advance));
    const size = cell / advance;
    const above = Math.ceil(size * ascent);
    const boxHeight = above + Math.ceil(size * descent);
    for (const line of wrap(block, Math.floor((width - 2 * margin) / cell))) {
      if (line.length > 0 && top + boxHeight > height - margin)
        throw new RangeError('The text is too long for the page.');
      for (const { word, column, length } of line) {
        const x = margin + column * cell;
        words.push({ text: word, x, y: top, width: length * cell, height: boxHeight });
        drawn.push(
          `<text x="${x}" y="${top + above}" font-size="${size}" font-weight="${weight}">${escapeXml(word)}</text>`,
        );
      }
      top += Math.round(size * 1.6);
    }
  }

  if (title !== undefined) {
    write(title, fontSize * 1.3, 'bold');
    top += Math.round(fontSize * 0.6);
  }
  write(text, fontSize, 'normal');

  const png = await renderSvg(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
      '<rect width="100%" height="100%" fill="#fdfdfb"/>' +
      `<g font-family="DejaVu Sans Mono" fill="#000">${drawn.join('')}</g></svg>`,
  );
  return { png, words };
}

/** Lines of at most `columns` characters, as words and the columns that they begin in. */
function wrap(text: string, columns: number) {
  return text.split(/\r?\n/).flatMap((paragraph) => {
    let line: { word: string; column: number; length: number }[] = [];
    const lines = [line];
    let column = 0;
    for (const word of paragraph.match(/\S+/g) ?? []) {
      const length = [...word].length;
      if (length > columns) throw new RangeError(`“${word}” is wider than the page.`);
      if (column + length > columns) {
        line = [];
        lines.push(line);
        column = 0;
      }
      line.push({ word, column, length });
      column += length + 1;
    }
    return lines;
  });
}
