import { encodeQR } from 'qr';
import { escapeHtml } from '../../platform/http/plain-page.js';

/** What is printed beside a code that leads to the device. */
export interface Label {
  /** In large letters, as in an asset tag. */
  title: string;
  lines: readonly string[];
  /** What the code leads to; no secret is ever in it. */
  url: string;
}

/** Millimetres: a common roll of continuous labels, 62 wide. */
const WIDTH = 62;
const HEIGHT = 29;
const CODE = 25;
const MARGIN = 2;
/** Modules of blank around a code (ISO/IEC 18004, 5.3.8 asks for four); the label's own margin adds to it. */
const QUIET = 2;
const TEXT_AT = MARGIN + CODE + MARGIN;
const TEXT_WIDTH = WIDTH - TEXT_AT - MARGIN;
/** A letter's width in parts of its size: a little more than that of most. */
const LETTER = 0.58;

/** One label as SVG, in millimetres, that needs nothing else: to be printed as it is. */
export function labelSvg({ title, lines, url }: Label): string {
  const rows = [{ text: title, size: 5.5, bold: true }, ...lines.map((text) => ({ text, size: 3, bold: false }))];
  let y = MARGIN;
  const texts = rows.map(({ text, size, bold }) => {
    const shown = clean(text);
    const fitting = Math.min(size, TEXT_WIDTH / (LETTER * Math.max(1, shown.length)));
    y += size * 1.25;
    return `<text x="${TEXT_AT}" y="${y.toFixed(2)}" font-size="${fitting.toFixed(2)}"${bold ? ' font-weight="700"' : ''}>${escapeHtml(shown)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}mm" height="${HEIGHT}mm" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" fill="#000">
  <rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
  ${codeSvg(url)}
  ${texts.join('\n  ')}
</svg>
`;
}

/** Many labels as a page that a browser prints. */
export function labelSheet(labels: readonly Label[]): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${labels.length} labels</title>
    <style>
      @page { margin: 10mm; }
      body { margin: 0; display: flex; flex-wrap: wrap; gap: 3mm; }
      svg { display: block; outline: 0.1mm dashed #999; break-inside: avoid; }
    </style>
  </head>
  <body>
${labels.map(labelSvg).join('')}  </body>
</html>
`;
}

function codeSvg(url: string): string {
  const modules = encodeQR(url, 'raw', { ecc: 'medium', border: QUIET });
  const dark = modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  const scale = (CODE / modules.length).toFixed(4);
  return `<path transform="translate(${MARGIN} ${MARGIN}) scale(${scale})" d="${dark.join('')}"/>`;
}

/** XML has no control characters (1.0, 2.2), and neither has a label. */
function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ').toWellFormed();
}
