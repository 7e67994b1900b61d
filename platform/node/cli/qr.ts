// A text as a QR code on a screen, for the camera of the device that needs it: black on white
// whatever the colours of the screen are. It is for screens alone, and kept nowhere.

import { renderUnicodeCompact } from 'uqr';

/**
 * Lines as wide as the code with the margin that a camera wants; null where `columns`, the
 * characters in a line of the screen, are fewer. Throws an Error for a text of over 2,300 bytes.
 */
export function qrLines(text: string, columns: number): string | null {
  const lines = renderUnicodeCompact(text, { ecc: 'M', border: MARGIN }).split('\n');
  if ((lines[0]?.length ?? 0) > columns) return null;
  return lines.map((line) => `${WHITE_ON_BLACK}${line}${PLAIN}\n`).join('');
}

/** In squares of the code: the standard's. */
const MARGIN = 4;
/** Of the colours that no theme changes. */
const WHITE_ON_BLACK = '\u001b[38;5;231;48;5;16m';
const PLAIN = '\u001b[0m';
