import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

const require = createRequire(import.meta.url);

/** The families that a drawing may name; no other font is looked for, so that every machine draws the same pixels. */
const fontFiles = [
  'DejaVuSans-Bold.ttf', // font-family="DejaVu Sans" font-weight="bold"
  'DejaVuSansMono.ttf', // font-family="DejaVu Sans Mono"
  'DejaVuSansMono-Bold.ttf',
  'DejaVuSerif.ttf', // font-family="DejaVu Serif"
  'DejaVuSerif-Bold.ttf',
];

let loading: Promise<Uint8Array[]> | undefined;

/** The WASM module can be initialised once in a process, and the fonts are read with it. */
async function load(): Promise<Uint8Array[]> {
  await initWasm(await readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  return Promise.all(fontFiles.map((file) => readFile(require.resolve(`dejavu-fonts-ttf/ttf/${file}`))));
}

/**
 * An SVG document as a PNG of the size that its `width` and `height` say, in pixels. The same bytes on every machine.
 * @throws if the SVG is malformed.
 */
export async function renderSvg(svg: string): Promise<Buffer> {
  loading ??= load();
  const drawing = new Resvg(svg, { font: { fontBuffers: await loading } });
  try {
    const image = drawing.render();
    try {
      return Buffer.from(image.asPng());
    } finally {
      image.free();
    }
  } finally {
    drawing.free();
  }
}

/** For text between tags and for attribute values. */
export const escapeXml = (text: string) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
