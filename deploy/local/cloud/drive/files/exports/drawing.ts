import { escapeXml, renderSvg } from '../../../../example/renderSvg.ts';

/** What was made from SVG is that SVG; of text, each line is drawn. */
export function toSvg(drawing: string): string {
  if (/^\s*<(\?xml|svg)\b/.test(drawing)) return drawing;
  const lines = drawing.split(/\r?\n/);
  const drawn = lines.map((line, index) => `<text x="20" y="${40 + 30 * index}">${escapeXml(line)}</text>`);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="${Math.max(540, 40 + 30 * lines.length)}" ` +
    `font-family="DejaVu Serif" font-size="20">${drawn.join('')}</svg>`
  );
}

export const toPng = (drawing: string): Promise<Buffer> => renderSvg(toSvg(drawing));
