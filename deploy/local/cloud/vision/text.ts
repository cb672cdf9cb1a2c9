import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createWorker, type Line, OEM, type Page, PSM, type Worker } from 'tesseract.js';
import { around, type Box, pixelPoly } from './geometry.ts';
import type { Picture } from './picture.ts';

type Read = {
  textAnnotations: object[];
  fullTextAnnotation?: { text: string; pages: { confidence: number }[] };
};

let tesseract: Promise<Worker> | undefined;

/** The English model, best accuracy, from its package: nothing is downloaded or written. */
function loadTesseract(): Promise<Worker> {
  const data = dirname(createRequire(import.meta.url).resolve('@tesseract.js-data/eng'));
  const options = { langPath: join(data, '4.0.0_best_int'), gzip: true, cacheMethod: 'none' };
  tesseract ??= createWorker('eng', OEM.LSTM_ONLY, options).then(async (worker) => {
    // Looks for where text is before it reads; told that all is text, it reads hundreds of words from a photograph.
    await worker.setParameters({ tessedit_pageseg_mode: PSM.AUTO });
    return worker;
  });
  return tesseract;
}

/**
 * The text of a picture, as DOCUMENT_TEXT_DETECTION and TEXT_DETECTION answer it. Words are what stands between
 * spaces, with their punctuation. No text: no annotations.
 */
export async function readText(picture: Picture): Promise<Read> {
  const reader = await loadTesseract();
  const { data } = await reader.recognize(portableGreymap(picture), {}, { text: false, blocks: true });
  const blocks = linesOf(data);
  if (blocks.length === 0) return { textAnnotations: [] };

  const bounded = (boxes: Box[]) => pixelPoly(around(boxes), picture);
  const words = blocks.flat(2).flatMap((line) => line.words);
  const text = blocks
    .flat(2)
    .map((line) => `${line.words.map((word) => word.text).join(' ')}\n`)
    .join('');
  const page = {
    width: picture.width,
    height: picture.height,
    confidence: confidence(words),
    blocks: blocks.map((paragraphs) => ({
      boundingBox: bounded(paragraphs.flat().map((line) => line.bbox)),
      blockType: 'TEXT',
      confidence: confidence(paragraphs.flat().flatMap((line) => line.words)),
      paragraphs: paragraphs.map((lines) => ({
        boundingBox: bounded(lines.map((line) => line.bbox)),
        confidence: confidence(lines.flatMap((line) => line.words)),
        words: lines.flatMap((line, index) => wordsOf(line, index === lines.length - 1, picture)),
      })),
    })),
  };
  const whole = { description: text, boundingPoly: bounded(words.map((word) => word.bbox)) };
  const each = words.map((word) => ({ description: word.text, boundingPoly: pixelPoly(word.bbox, picture) }));
  return { textAnnotations: [whole, ...each], fullTextAnnotation: { pages: [page], text } };
}

function wordsOf(line: Line, endsParagraph: boolean, picture: Picture): object[] {
  return line.words.map((word, index) => {
    const inLine = index < line.words.length - 1;
    const detectedBreak = { type: inLine ? 'SPACE' : endsParagraph ? 'LINE_BREAK' : 'EOL_SURE_SPACE' };
    return {
      boundingBox: pixelPoly(word.bbox, picture),
      confidence: word.confidence / 100,
      symbols: word.symbols.map((symbol, at) => ({
        text: symbol.text,
        confidence: symbol.confidence / 100,
        boundingBox: pixelPoly(symbol.bbox, picture),
        ...(at === word.symbols.length - 1 ? { property: { detectedBreak } } : {}),
      })),
    };
  });
}

/** Blocks of paragraphs of lines; what is left of them when implausible lines are taken away. */
function linesOf({ blocks }: Page): Line[][][] {
  return (blocks ?? [])
    .map(({ paragraphs }) =>
      paragraphs.map(({ lines }) => lines.filter(isPlausible)).filter((lines) => lines.length > 0),
    )
    .filter((paragraphs) => paragraphs.length > 0);
}

/** Textures of photographs are read as strokes and dashes, or as letters with little confidence. */
function isPlausible({ words }: Line): boolean {
  const sure = confidence(words);
  const text = words.map((word) => word.text).join(' ');
  return sure >= 0.6 && (sure >= 0.9 ? /[\p{L}\p{N}]/u : /[\p{L}\p{N}]{2}/u).test(text);
}

const confidence = (words: { confidence: number }[]): number =>
  words.reduce((sum, word) => sum + word.confidence, 0) / Math.max(words.length, 1) / 100;

/** The simplest file that Tesseract reads, so that it looks at the very pixels that were checked. */
function portableGreymap({ width, height, data }: Picture): Buffer {
  const head = Buffer.from(`P5 ${width} ${height} 255\n`);
  const file = Buffer.alloc(head.length + width * height);
  head.copy(file);
  for (let from = 0, to = head.length; to < file.length; from += 4, to++) {
    const [red, green, blue] = [data[from], data[from + 1], data[from + 2]] as [number, number, number];
    file[to] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  return file;
}
