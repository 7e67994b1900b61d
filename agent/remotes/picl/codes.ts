// Texts of ASCII as bytes, and base64url back, as an interpreter does it fastest: a character costs
// it a thousand instructions, so each is looked at once, and what was found is kept until the
// payload is opened.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`

import { textOfCodes, urlDigits, wordsOfBytes } from '../../../crypto/bytes.ts';
import { encodeUtf8, utf8Decoder } from '../../../crypto/utf8.ts';

/** The codes of payloads that were hashed, and are to be opened. */
export interface Codes {
  of(payload: string): Uint8Array;
  /** The same, which are not needed again. */
  take(payload: string): Uint8Array;
}

/** `charsMax`: of what is kept. */
export function keptCodes(charsMax: number): Codes {
  const known = new Map<string, Uint8Array>();
  let chars = 0;
  return {
    of(payload) {
      const codes = known.get(payload) ?? asciiBytes(payload);
      if (known.has(payload)) return codes;
      // Whoever did not take them will not come.
      if (chars + codes.length > charsMax) {
        known.clear();
        chars = 0;
      }
      if (codes.length <= charsMax) {
        known.set(payload, codes);
        chars += codes.length;
      }
      return codes;
    },
    take(payload) {
      const codes = known.get(payload);
      if (codes === undefined) return asciiBytes(payload);
      known.delete(payload);
      chars -= codes.length;
      return codes;
    },
  };
}

/** Of a text that is nothing but ASCII: keys, ids and payloads are looked at before. */
export function asciiBytes(text: string): Uint8Array {
  var at = 0;
  var length = text.length;
  var bytes = new Uint8Array(length);
  for (; at < length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** The bytes that codes of base64url without padding stand for; null: they are none. */
export function bytesOfCodes(codes: Uint8Array): Uint8Array | null {
  var values = valuesOf();
  var length = codes.length;
  var bytes = new Uint8Array(Math.floor((length * 3) / 4));
  var all = length % 4 === 1 ? NO_DIGIT : 0;
  var at = 0;
  var to = 0;
  var a = 0;
  var b = 0;
  var c = 0;
  var d = 0;
  for (; at < length; at += 4) {
    a = values[codes[at] as number] as number;
    b = values[codes[at + 1] as number] as number;
    // Behind the end there is nothing, which counts as zeros.
    c = at + 2 < length ? (values[codes[at + 2] as number] as number) : 0;
    d = at + 3 < length ? (values[codes[at + 3] as number] as number) : 0;
    all |= a | b | c | d;
    bytes[to++] = (a << 2) | (b >> 4);
    bytes[to++] = (b << 4) | (c >> 2);
    bytes[to++] = (c << 6) | d;
  }
  // Two texts of one value would be two ids of one change.
  const stray = length % 4 === 2 ? b & 15 : length % 4 === 3 ? c & 3 : 0;
  return all < NO_DIGIT && stray === 0 ? bytes : null;
}

/** The text that bytes are the UTF-8 of; null: they are none. */
export function textOfUtf8(bytes: Uint8Array): string | null {
  const text = textOfCodes(bytes);
  if (!/[\x80-\xff]/.test(text)) return text;
  const whole = new Uint8Array(Math.ceil(bytes.length / 16) * 16);
  whole.set(bytes);
  const decoder = utf8Decoder();
  return decoder.push(wordsOfBytes(whole), 0, bytes.length) ? decoder.finish() : null;
}

/** Errors: `CryptoError` `badText` (half a surrogate pair). */
export function utf8Bytes(text: string): Uint8Array {
  return /^[ -~]*$/.test(text) ? asciiBytes(text) : encodeUtf8(text);
}

const NO_DIGIT = 64;
let values: Uint8Array | null = null;

function valuesOf(): Uint8Array {
  if (values !== null) return values;
  values = new Uint8Array(256).fill(NO_DIGIT);
  for (let value = 0; value < NO_DIGIT; value++) values[urlDigits.charCodeAt(value)] = value;
  return values;
}
