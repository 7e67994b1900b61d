// Small JSON documents, read whole: bounded in length and nesting before the engine's parser sees them.

import { SyncError } from '../errors.ts';
import { JSON_DEPTH_MAX } from '../limits.ts';
import { createLexer } from './lexer.ts';

/**
 * The text that `read` delivers in pieces, up to its null.
 * Errors: SyncError `badResponse` when it is longer than `charsMax`; what `read` throws.
 */
export async function readDocument(
  read: () => Promise<string | null>,
  charsMax: number,
): Promise<string> {
  let text = '';
  for (let piece = await read(); piece !== null; piece = await read()) {
    if (text.length + piece.length > charsMax) {
      throw new SyncError('badResponse', `the answer is longer than ${charsMax} characters`);
    }
    text += piece;
  }
  return text;
}

/** The value of a JSON text from outside. Errors: SyncError `badResponse` (not JSON, or nested too deeply). */
export function parseDocument(text: string): unknown {
  if (hasManyBrackets(text)) createLexer(JSON_DEPTH_MAX).next(text, 0);
  try {
    return JSON.parse(text);
  } catch {
    throw new SyncError('badResponse', 'not JSON');
  }
}

/** More brackets open than may be open at once, wherever they are: most texts need no closer look. */
function hasManyBrackets(text: string): boolean {
  let count = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++count > JSON_DEPTH_MAX) return true;
    }
  }
  return false;
}
