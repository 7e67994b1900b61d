// Bytes as text and back: hexadecimal digits and base64 (RFC 4648, both alphabets).
// Decoding is strict, because two texts of one value would be two MACs of one record: no white
// space, no other alphabet, padding exactly where the alphabet has it, no stray bits at the end.
// A text that is not one is answered with null; nothing here throws.

type Base64Form = 'standard' | 'url';

/** Base64 with padding in the standard form, without in the form for URLs. */
export function encodeBase64(bytes: Uint8Array, form: Base64Form = 'standard'): string {
  const digits = form === 'url' ? urlDigits : standardDigits;
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    // What is missing at the end counts as zeros, and their digits are cut off again.
    const three =
      ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    text +=
      (digits[three >>> 18] as string) +
      (digits[(three >>> 12) & 63] as string) +
      (digits[(three >>> 6) & 63] as string) +
      (digits[three & 63] as string);
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  const written = text.slice(0, text.length - missing);
  return form === 'url' ? written : written + '='.repeat(missing);
}

/** The bytes of a base64 text, or null when it is not one. */
export function decodeBase64(text: string, form: Base64Form = 'standard'): Uint8Array | null {
  let end = text.length;
  if (form === 'standard') {
    if (end % 4 !== 0) return null;
    if (text.endsWith('==')) end -= 2;
    else if (text.endsWith('=')) end -= 1;
  }
  if (end % 4 === 1) return null;
  const values = form === 'url' ? urlValues : standardValues;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let bits = 0;
  let bitCount = 0;
  let to = 0;
  for (let at = 0; at < end; at++) {
    const digit = values[text.charCodeAt(at)] ?? -1;
    if (digit < 0) return null;
    bits = ((bits << 6) | digit) & 0xfff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[to++] = bits >>> bitCount;
    }
  }
  const strayBits = bits & ((1 << bitCount) - 1);
  return strayBits === 0 ? bytes : null;
}

/** Lower-case hexadecimal digits. */
export function encodeHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += `${hexDigits[byte >>> 4]}${hexDigits[byte & 15]}`;
  return text;
}

/** The bytes of hexadecimal digits of either case, or null when the text is anything else. */
export function decodeHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Letters of either case are the second column of ASCII, and count from 9.
    const digit = (code & 15) + 9 * (code >> 6);
    bytes[at >> 1] = ((bytes[at >> 1] as number) << 4) | digit;
  }
  return bytes;
}

/** The parts one after another in a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Compares every byte, wherever the first difference is: its time tells nothing of a secret. */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= (one[at] ?? 0) ^ (other[at] ?? 0);
  return difference === 0;
}

/** The text of UTF-16 units; in pieces, because a call takes only so many arguments. */
export function textOfCodes(codes: readonly number[] | Uint8Array): string {
  let text = '';
  for (let at = 0; at < codes.length; at += pieceUnits) {
    // Spreading would cost an interpreter four times as much.
    const piece = codes.slice(at, at + pieceUnits) as number[];
    text += String.fromCharCode.apply(null, piece);
  }
  return text;
}

/** Big-endian words of `bytes`, which count a multiple of four. */
export function wordsOfBytes(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(bytes.length / 4);
  for (let word = 0, at = 0; at < bytes.length; word++, at += 4) {
    words[word] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  }
  return words;
}

/** The bytes of big-endian words. */
export function bytesOfWords(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  for (let word = 0, at = 0; at < bytes.length; word++, at += 4) {
    const value = words[word] as number;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }
  return bytes;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
export const standardDigits = `${letters}+/`;
export const urlDigits = `${letters}-_`;
const [standardValues, urlValues] = [standardDigits, urlDigits].map((digits) => {
  const values = new Int8Array(128).fill(-1);
  for (let at = 0; at < 64; at++) values[digits.charCodeAt(at)] = at;
  return values;
}) as [Int8Array, Int8Array];
const hexDigits = '0123456789abcdef';
const pieceUnits = 1024;
