// UTF-8 (RFC 3629), strictly, in both directions.
// Decoding takes a text in pieces that may cut a character anywhere, and refuses what only looks
// like UTF-8: overlong forms, surrogates, values past U+10FFFF, stray and missing bytes. A byte
// order mark is a character like any other. Encoding refuses half a surrogate pair: replacing it
// would change a user's text in silence.

import { textOfCodes } from './bytes.ts';
import { CryptoError } from './error.ts';

interface Utf8Decoder {
  /** Takes `byteCount` bytes of big-endian words, the first at word `from`. False: no UTF-8. */
  push(words: Int32Array, from: number, byteCount: number): boolean;
  /** The whole text, or null when it ends inside a character. */
  finish(): string | null;
}

export function utf8Decoder(): Utf8Decoder {
  const units: number[] = [];
  let text = '';
  let point = 0;
  let missing = 0;
  let least = 0;

  function flush(): void {
    text += textOfCodes(units);
    units.length = 0;
  }

  /** One byte of a character that is not ASCII, or any byte while one is unfinished. */
  function step(byte: number): boolean {
    if (missing === 0) {
      if (byte < 0x80) units.push(byte);
      else if (byte < 0xc2 || byte > 0xf4) return false;
      else {
        missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        least = missing === 1 ? 0x80 : missing === 2 ? 0x800 : 0x10000;
        point = byte & (0x3f >> missing);
      }
      return true;
    }
    if ((byte & 0xc0) !== 0x80) return false;
    point = (point << 6) | (byte & 0x3f);
    if (--missing > 0) return true;
    if (point < least || point > 0x10ffff || (point & 0x1ff800) === 0xd800) return false;
    if (point < 0x10000) units.push(point);
    else units.push(0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
    return true;
  }

  return {
    push(words, from, byteCount) {
      for (let at = 0; at < byteCount; at += 16) {
        const first = from + (at >> 2);
        const a = words[first] as number;
        const b = words[first + 1] as number;
        const c = words[first + 2] as number;
        const d = words[first + 3] as number;
        if (missing > 0 || at + 16 > byteCount || ((a | b | c | d) & 0x80808080) !== 0) {
          for (let byte = at; byte < at + 16 && byte < byteCount; byte++) {
            const word = words[from + (byte >> 2)] as number;
            if (!step((word >>> (24 - 8 * (byte & 3))) & 0xff)) return false;
          }
          if (units.length >= pieceUnits) flush();
          continue;
        }
        if (units.length > 0) flush();
        text += asciiText(a, b, c, d);
      }
      return true;
    },
    finish() {
      flush();
      return missing === 0 ? text : null;
    },
  };
}

/** Sixteen characters in one call: most of most texts, and four times as fast as one by one. */
export function asciiText(a: number, b: number, c: number, d: number): string {
  return fromCharCode(
    a >>> 24,
    (a >>> 16) & 0xff,
    (a >>> 8) & 0xff,
    a & 0xff,
    b >>> 24,
    (b >>> 16) & 0xff,
    (b >>> 8) & 0xff,
    b & 0xff,
    c >>> 24,
    (c >>> 16) & 0xff,
    (c >>> 8) & 0xff,
    c & 0xff,
    d >>> 24,
    (d >>> 16) & 0xff,
    (d >>> 8) & 0xff,
    d & 0xff,
  );
}

/** Throws `CryptoError` `badText` when the text is no well-formed UTF-16. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(3 * text.length);
  let to = 0;
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) as number;
    if (point < 0x80) {
      bytes[to++] = point;
    } else if (point < 0x800) {
      bytes[to++] = 0xc0 | (point >> 6);
      bytes[to++] = 0x80 | (point & 0x3f);
    } else {
      if ((point & 0x1ff800) === 0xd800) throw new CryptoError('badText', 'half a surrogate pair');
      if (point < 0x10000) bytes[to++] = 0xe0 | (point >> 12);
      else {
        bytes[to++] = 0xf0 | (point >> 18);
        bytes[to++] = 0x80 | ((point >> 12) & 0x3f);
        at++;
      }
      bytes[to++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[to++] = 0x80 | (point & 0x3f);
    }
  }
  return bytes.slice(0, to);
}

/** Where a piece of a text ends that is encoded by itself: it cuts no surrogate pair. */
export function pieceEnd(text: string, at: number): number {
  const end = Math.min(at + encodedUnits, text.length);
  const cutsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 && end < text.length;
  return cutsPair ? end + 1 : end;
}

/** Whether every surrogate of the text is one of a pair. */
export function isWellFormed(text: string): boolean {
  // With the `u` flag a pair is one character, so only halves match.
  return !/[\ud800-\udfff]/u.test(text);
}

const { fromCharCode } = String;
/** So many are gathered before they become text: an array takes eight times the room. */
const pieceUnits = 1024;
const encodedUnits = 512;
