import { escapeXml, renderSvg } from '../../../../example/renderSvg.ts';

/** What was made from SVG is that SVG; of text, each line is drawn that fits on a page. */
export function toSvg(drawing: string): string {
  if (/^\s*<(\?xml|svg)\b/.test(drawing)) return drawing;
  const lines = drawing.split(/\r?\n/).slice(0, 17);
  const drawn = lines.map((line, index) => {
    const text = escapeXml(line.slice(0, 200).toWellFormed());
    return `<text x="20" y="${40 + 30 * index}">${text}</text>`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="540" ` +
    `font-family="DejaVu Serif" font-size="20">${drawn.join('')}</svg>`
  );
}

export const toPng = (drawing: string): Promise<Buffer> => renderSvg(toSvg(drawing));
