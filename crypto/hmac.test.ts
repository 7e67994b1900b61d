// HMAC and HKDF: their published vectors, and agreement with node:crypto at every length
// around the borders of blocks.

import { createHash, createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hmacCases } from '../test/contract/bulk-cases.ts';
import { bytesOfWords, decodeHex, encodeHex, textOfCodes, wordsOfBytes } from './bytes.ts';
import { finishHmac, hkdf, hmac, hmacKey, startHmac } from './hmac.ts';
import { closeHash, hashBlock, newHash, sha256 } from './sha256.ts';

const hex = (text: string) => decodeHex(text) ?? new Uint8Array(0);
const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const repeated = (byte: number, count: number) => new Uint8Array(count).fill(byte);

it('hashes and authenticates as node:crypto does, whatever the length', () => {
  const data = new Uint8Array(400).map((_, at) => at * 89 + 7);
  for (let length = 0; length <= data.length; length++) {
    const message = data.slice(0, length);
    expect(encodeHex(sha256(message))).toBe(createHash('sha256').update(message).digest('hex'));
    const mac = createHmac('sha256', message).update(data).digest('hex');
    expect(encodeHex(hmac(hmacKey(message), data))).toBe(mac);
  }
});

it('authenticates a text whose units are bytes as it does the bytes', () => {
  const key = hmacKey(ascii('key'));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 150 }), (bytes) => {
      expect(hmac(key, String.fromCharCode(...bytes))).toEqual(hmac(key, bytes));
    }),
  );
});

it('hashes block by block what it hashes at once', () => {
  const data = new Uint8Array(300).map((_, at) => at * 31);
  const key = hmacKey(data);
  for (const blocks of [0, 1, 4]) {
    const hash = newHash();
    const mac = startHmac(key);
    for (let block = 0; block < blocks; block++) {
      const words = wordsOfBytes(data.slice(64 * block, 64 * block + 64));
      hashBlock(hash, words);
      hashBlock(mac, words);
    }
    const tail = textOfCodes(data.slice(64 * blocks));
    closeHash(hash, tail, 64 * blocks);
    expect(bytesOfWords(hash)).toEqual(sha256(data));
    expect(finishHmac(key, mac, tail, 64 * blocks)).toEqual(hmac(key, data));
  }
});

it.each(hmacCases)('authenticates the messages of RFC 4231 (%#)', ({ key, message, digest }) => {
  expect(encodeHex(hmac(hmacKey(hex(key)), ascii(message)))).toBe(digest);
});

it('derives the keys of RFC 5869', () => {
  const first = hkdf(
    repeated(0x0b, 22),
    hex('f0f1f2f3f4f5f6f7f8f9'),
    42,
    hex('000102030405060708090a0b0c'),
  );
  expect(encodeHex(first)).toBe(
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  );
  const bare = hkdf(repeated(0x0b, 22), new Uint8Array(0), 42);
  expect(encodeHex(bare)).toBe(
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  );
});

it('derives what node:crypto derives', () => {
  const bytes = fc.uint8Array({ maxLength: 100 });
  fc.assert(
    fc.property(
      bytes,
      bytes,
      bytes,
      fc.integer({ min: 1, max: 300 }),
      (secret, info, salt, length) => {
        const theirs = new Uint8Array(hkdfSync('sha256', secret, salt, info, length));
        expect(hkdf(secret, info, length, salt)).toEqual(theirs);
      },
    ),
  );
});
