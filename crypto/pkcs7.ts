// The padding of block ciphers (PKCS #7, RFC 5652 6.3): a message is filled up to whole blocks of
// 16 bytes, always by one byte at least, with bytes that say how many they are.

import { concatBytes } from './bytes.ts';

export function padded(bytes: Uint8Array): Uint8Array {
  const count = blockBytes - (bytes.length % blockBytes);
  return concatBytes(bytes, new Uint8Array(count).fill(count));
}

/** How many of the bytes, which are whole blocks, are the message; null: that is no padding. */
export function unpaddedLength(bytes: Uint8Array): number | null {
  const count = bytes[bytes.length - 1] as number;
  if (count < 1 || count > blockBytes) return null;
  const length = bytes.length - count;
  return bytes.subarray(length).every((byte) => byte === count) ? length : null;
}

const blockBytes = 16;
