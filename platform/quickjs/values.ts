// Lists of values as BRIDGE.md sends them: one number per value, all text in one string, all bytes
// in one buffer.

import type { Value } from '../ports.ts';

const MISSING = -1;
const BYTES = -2;

/** The number that stands for a value. */
export function lengthOf(value: Value | null): number {
  if (value === null) return MISSING;
  return typeof value === 'string' ? value.length : BYTES - value.length;
}

export function pack(values: readonly (Value | null)[]): {
  text: string;
  bytes: Uint8Array | null;
} {
  const buffers = values.filter((value) => value instanceof Uint8Array);
  const text = joinedText(values.filter((value) => typeof value === 'string'));
  const [first = null] = buffers;
  if (buffers.length <= 1) return { text, bytes: first };
  const bytes = new Uint8Array(buffers.reduce((sum, buffer) => sum + buffer.length, 0));
  let at = 0;
  for (const buffer of buffers) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return { text, bytes };
}

/** The texts as one; a single one is not copied. */
export function joinedText(texts: readonly string[]): string {
  const [first = ''] = texts;
  return texts.length <= 1 ? first : texts.join('');
}

/** The values, from what `pack` has made of them and their `lengthOf`s. */
export function unpack(
  lengths: readonly number[],
  text: string,
  bytes: Uint8Array,
): (Value | null)[] {
  let charAt = 0;
  let byteAt = 0;
  return lengths.map((length) => {
    if (length === MISSING) return null;
    if (length >= 0) {
      charAt += length;
      return text.slice(charAt - length, charAt);
    }
    byteAt += BYTES - length;
    const from = byteAt - (BYTES - length);
    // One that is all that came may be long.
    return from === 0 && byteAt === bytes.length ? bytes : bytes.slice(from, byteAt);
  });
}
