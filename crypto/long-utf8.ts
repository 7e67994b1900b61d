// UTF-8 of texts that may be long, in both directions, with a turn for the device between pieces:
// utf8.ts does the work.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`

import { CryptoError } from './error.ts';
import type { Turn } from './turn.ts';
import { asciiText, encodeUtf8, pieceEnd, utf8Decoder } from './utf8.ts';

/** Null: it has half a surrogate pair. */
export async function utf8Of(text: string, turn: Turn): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < text.length; ) {
    if (text.length > shortUnits && turn.isOver(pieceGroups)) await turn.next();
    const end = pieceEnd(text, at);
    try {
      parts.push(encodeUtf8(text.slice(at, end)));
    } catch (error) {
      if (error instanceof CryptoError) return null;
      throw error;
    }
    at = end;
  }
  const [first = new Uint8Array(0)] = parts;
  if (parts.length <= 1) return first;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    if (turn.isOver(copiedGroups)) await turn.next();
    bytes.set(part, to);
    to += part.length;
  }
  return bytes;
}

/** The text whose UTF-8 so many bytes are; null: they are none. */
export async function textOf(
  words: Int32Array,
  byteCount: number,
  turn: Turn,
): Promise<string | null> {
  let text = '';
  let from = 0;
  const end = byteCount >> 2;
  for (; from + pieceWords <= end; from += pieceWords) {
    if (turn.isOver(wordGroups)) await turn.next();
    const piece = asciiOf(words, from);
    if (piece === null) break;
    text += piece;
  }
  const decoder = utf8Decoder();
  for (; from < words.length; from += pieceWords) {
    if (turn.isOver(wordGroups)) await turn.next();
    if (!decoder.push(words, from, Math.min(4 * pieceWords, byteCount - 4 * from))) return null;
  }
  const rest = decoder.finish();
  return rest === null ? null : text + rest;
}

/** A piece as text; null: not all of it is ASCII. */
function asciiOf(words: Int32Array, from: number): string | null {
  var text = '';
  var end = from + pieceWords;
  var at = from;
  var a = 0;
  var b = 0;
  var c = 0;
  var d = 0;
  for (; at < end; at += 4) {
    a = words[at] as number;
    b = words[at + 1] as number;
    c = words[at + 2] as number;
    d = words[at + 3] as number;
    if (((a | b | c | d) & 0x80808080) !== 0) return null;
    text += asciiText(a, b, c, d);
  }
  return text;
}

export async function isAscii(text: string, turn: Turn): Promise<boolean> {
  for (let at = 0; at < text.length; at += asciiUnits) {
    if (at > 0 && turn.isOver(asciiGroups)) await turn.next();
    if (!ASCII.test(text.slice(at, at + asciiUnits))) return false;
  }
  return true;
}

const pieceWords = 48;
const shortUnits = 64;
const asciiUnits = 4_096;
const ASCII = /^[\0-\x7f]*$/;
/** What a piece counts for: encoded, put to the others, decoded, looked at. */
const pieceGroups = 3;
const copiedGroups = 0.5;
const wordGroups = 0.2;
const asciiGroups = 2;
