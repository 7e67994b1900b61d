// What a camera sees of a QR code in lines of half blocks: pixels, read by another program than the
// one that drew them.

import { createRequire } from 'node:module';
import type { Options, QRCode } from 'jsqr';

type Read = (
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
  how: Options,
) => QRCode | null;
const jsQR: Read = createRequire(import.meta.url)('jsqr');

/** The first code in the text; null: there is none. */
export function readQr(text: string): string | null {
  const lines = text
    .split('\n')
    .map((line) => line.replace(COLOURS, ''))
    .filter((line) => line !== '' && /^[\u2588\u2580\u2584 ]*$/.test(line));
  const columns = lines[0]?.length ?? 0;
  const [width, height] = [columns * SQUARE, lines.length * 2 * SQUARE];
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    const half = Math.floor(y / SQUARE);
    const white = half % 2 === 0 ? '\u2588\u2580' : '\u2588\u2584';
    for (let x = 0; x < width; x++) {
      const drawn = lines[Math.floor(half / 2)]?.[Math.floor(x / SQUARE)] ?? ' ';
      if (!white.includes(drawn)) pixels.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  if (width === 0) return null;
  // Not every camera sees white on black.
  return jsQR(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data ?? null;
}

/** Pixels of a side. */
const SQUARE = 4;
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g');
