// The part of CBOR (RFC 8949) that is sealed at rest: one definite-length array of texts, byte
// strings and integers. Written out because a general codec would be a third of the whole firmware;
// any CBOR reader can read what this writes. It reads only what it writes: anything else is damage.

import { concatBytes, wordsOfBytes } from './bytes.ts';
import { CryptoError } from './error.ts';
import { encodeUtf8, utf8Decoder } from './utf8.ts';

/** An integer is safe (at most 2^53 - 1) and not negative. */
export type CborValue = string | number | Uint8Array;

const UNSIGNED = 0;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;

/** Throws `CryptoError` `badText` for half a surrogate pair. */
export function encodeCbor(values: readonly CborValue[]): Uint8Array {
  const parts = [head(ARRAY, values.length)];
  for (const value of values) {
    if (typeof value === 'number') {
      parts.push(head(UNSIGNED, value));
    } else {
      const bytes = typeof value === 'string' ? encodeUtf8(value) : value;
      parts.push(head(typeof value === 'string' ? TEXT : BYTES, bytes.length), bytes);
    }
  }
  return concatBytes(...parts);
}

/** Throws `CryptoError` `badSeal` when the bytes are not one such array and nothing else. */
export function decodeCbor(bytes: Uint8Array): CborValue[] {
  let at = 0;
  const next = (): { major: number; argument: number } => {
    const first = bytes[at++] ?? 0xff;
    const info = first & 0x1f;
    if (info < 24) return { major: first >> 5, argument: info };
    const width = info > 27 ? 0 : 1 << (info - 24);
    if (width === 0 || at + width > bytes.length) throw damaged();
    let argument = 0;
    for (const end = at + width; at < end; at++) argument = argument * 256 + (bytes[at] ?? 0);
    return { major: first >> 5, argument };
  };
  const { major, argument: count } = next();
  if (major !== ARRAY || count > bytes.length) throw damaged();
  const values: CborValue[] = [];
  while (values.length < count) {
    const { major: kind, argument } = next();
    if (kind === UNSIGNED && Number.isSafeInteger(argument)) values.push(argument);
    else if ((kind === TEXT || kind === BYTES) && at + argument <= bytes.length) {
      const piece = bytes.slice(at, at + argument);
      at += argument;
      const value = kind === TEXT ? textOf(piece) : piece;
      if (value === null) throw damaged();
      values.push(value);
    } else throw damaged();
  }
  if (at !== bytes.length) throw damaged();
  return values;
}

/** The shortest form of a major type and its argument (RFC 8949, 3). */
function head(major: number, argument: number): Uint8Array {
  const type = major << 5;
  if (argument < 24) return Uint8Array.of(type | argument);
  const width = argument < 2 ** 8 ? 1 : argument < 2 ** 16 ? 2 : argument < 2 ** 32 ? 4 : 8;
  const bytes: number[] = [];
  for (let rest = argument; bytes.length < width; rest = Math.floor(rest / 256)) {
    bytes.unshift(rest % 256);
  }
  return Uint8Array.of(type | (24 + Math.log2(width)), ...bytes);
}

function textOf(bytes: Uint8Array): string | null {
  const decoder = utf8Decoder();
  const padded = new Uint8Array((bytes.length + 3) & ~3);
  padded.set(bytes);
  return decoder.push(wordsOfBytes(padded), 0, bytes.length) ? decoder.finish() : null;
}

function damaged(): CryptoError {
  return new CryptoError('badSeal', 'not a list of values');
}
