// SHA-256: its published vectors, and agreement with node:crypto wherever a message ends.

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { sha256Cases } from '../test/contract/bulk-cases.ts';
import { bytesOfWords, encodeHex, textOfCodes, wordsOfBytes } from './bytes.ts';
import { blockBytes, closeHash, hashBlock, newHash, sha256 } from './sha256.ts';

const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const digestOf = (hash: Int32Array): string => encodeHex(bytesOfWords(hash));

it.each([
  ...sha256Cases,
  {
    message: 'a'.repeat(1_000_000),
    digest: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  },
])('hashes the messages of FIPS 180 (%#)', ({ message, digest }) => {
  expect(encodeHex(sha256(ascii(message)))).toBe(digest);
});

it('has constants that no engine’s idea of a root changes', () => {
  const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73];
  for (let n = 79; n <= 311; n += 2) {
    if (primes.every((prime) => n % prime > 0)) primes.push(n);
  }
  const roots = [...primes.slice(0, 8).map(Math.sqrt), ...primes.map(Math.cbrt)];
  expect(roots).toHaveLength(8 + 64);
  for (const root of roots) {
    const [behind, ulp] = [(root * 2 ** 32) % 1, 2 ** (Math.floor(Math.log2(root)) - 52 + 32)];
    expect(Math.min(behind, 1 - behind) / ulp).toBeGreaterThan(1_000);
  }
});

it('counts the bits of a message past 2^32 of them', () => {
  // The digest of a length is that of the same tail only if the length is the same.
  const digests = [0, 2 ** 29, 2 ** 32].map((hashed) => {
    const hash = newHash();
    closeHash(hash, 'abc', hashed);
    return encodeHex(bytesOfWords(hash));
  });
  expect(new Set(digests).size).toBe(3);
});

it('hashes what ends anywhere in its last blocks as node:crypto does, any byte in it', () => {
  const data = new Uint8Array(4 * blockBytes).map((_, at) => at * 7 + 0xf0);
  for (let length = 0; length <= data.length; length++) {
    const message = data.slice(0, length);
    expect(encodeHex(sha256(message))).toBe(createHash('sha256').update(message).digest('hex'));
  }
});

it('goes on from a copy of its state, and leaves the other as it was', () => {
  const data = new Uint8Array(2 * blockBytes).map((_, at) => at);
  const first = newHash();
  hashBlock(first, wordsOfBytes(data.slice(0, blockBytes)));
  const copy = first.slice();
  closeHash(copy, 'another end', blockBytes);
  hashBlock(first, wordsOfBytes(data.slice(blockBytes)));
  closeHash(first, '', data.length);
  expect(digestOf(first)).toBe(createHash('sha256').update(data).digest('hex'));
  const other = createHash('sha256').update(data.slice(0, blockBytes)).update('another end');
  expect(digestOf(copy)).toBe(other.digest('hex'));
});

it('begins each hash anew', () => {
  closeHash(newHash(), 'abc');
  expect(encodeHex(sha256(ascii('')))).toBe(createHash('sha256').digest('hex'));
  expect(newHash()).not.toBe(newHash());
});

it('reads the units of a text as bytes', () => {
  const bytes = Uint8Array.of(0, 0x7f, 0x80, 0xff);
  const hash = newHash();
  closeHash(hash, textOfCodes(bytes));
  expect(digestOf(hash)).toBe(createHash('sha256').update(bytes).digest('hex'));
});
