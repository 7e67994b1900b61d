// How a list of storage values crosses the bridge (platform/quickjs/BRIDGE.md): one number per value,
// all texts joined, all bytes joined.

import type { Value } from '../../platform/ports.ts';

export interface PackedValues {
  /** `n >= 0` a text of `n` UTF-16 units, `-1` no value, `n <= -2` a byte value of `-2 - n` bytes. */
  readonly lengths: number[];
  readonly text: string;
  readonly bytes: Uint8Array | null;
}

export function packValues(values: readonly (Value | null)[]): PackedValues {
  const lengths = values.map((value) =>
    value === null ? -1 : typeof value === 'string' ? value.length : -2 - value.length,
  );
  const text = values.filter((value) => typeof value === 'string').join('');
  const byteValues = values.filter((value) => value instanceof Uint8Array);
  return { lengths, text, bytes: byteValues.length === 0 ? null : joinBytes(byteValues) };
}

/** Inverse of `packValues`. Throws a RangeError if the lengths do not use up exactly what is given. */
export function unpackValues(
  lengths: readonly number[],
  text: string,
  bytes: Uint8Array | null,
): (Value | null)[] {
  const given = bytes ?? new Uint8Array(0);
  let textOffset = 0;
  let byteOffset = 0;
  const values = lengths.map((length) => {
    if (length === -1) return null;
    if (length >= 0) {
      textOffset += length;
      return text.slice(textOffset - length, textOffset);
    }
    byteOffset += -2 - length;
    return given.slice(byteOffset - (-2 - length), byteOffset);
  });
  if (textOffset !== text.length || byteOffset !== given.length) {
    throw new RangeError('the lengths of a list of values do not match what came with them');
  }
  return values;
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
