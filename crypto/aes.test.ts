// AES-256-CBC: the vectors of NIST, and agreement with node:crypto.

import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AesKey, cbc, decryptionKey, encryptionKey } from './aes.ts';
import { bytesOfWords, decodeHex, encodeHex, wordsOfBytes } from './bytes.ts';

const words = (hex: string) => wordsOfBytes(decodeHex(hex) ?? new Uint8Array(0));

function run(key: AesKey, data: Int32Array, iv: Int32Array): string {
  const copy = data.slice();
  cbc(key, copy, 0, copy.length, iv.slice());
  return encodeHex(bytesOfWords(copy));
}

// FIPS 197 appendix C.3; SP 800-38A F.2.5.
it.each([
  [
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    '00000000000000000000000000000000',
    '00112233445566778899aabbccddeeff',
    '8ea2b7ca516745bfeafc49904b496089',
  ],
  [
    '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
    '000102030405060708090a0b0c0d0e0f',
    '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a' +
      '0a52eff69f2445df4f9b17ad2b417be66c3710',
    'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304' +
      '231461b2eb05e2c39be9fcda6c19078c6a9d1b',
  ],
])('encrypts and decrypts the blocks of NIST (%#)', (key, iv, plain, sealed) => {
  expect(run(encryptionKey(words(key)), words(plain), words(iv))).toBe(sealed);
  expect(run(decryptionKey(words(key)), words(sealed), words(iv))).toBe(plain);
});

it('does what node:crypto does, in one call or in several', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const blocks = fc.integer({ min: 1, max: 8 });
  fc.assert(
    fc.property(bytes(32), bytes(16), bytes(128), blocks, blocks, (key, iv, data, count, cut) => {
      const plain = data.slice(0, 16 * count);
      const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
      const sealed = cipher.update(plain, undefined, 'hex') + cipher.final('hex');
      const made = wordsOfBytes(plain);
      const middle = Math.min(4 * cut, made.length);
      for (const [makeKey, result] of [
        [encryptionKey, sealed],
        [decryptionKey, Buffer.from(plain).toString('hex')],
      ] as const) {
        const chain = wordsOfBytes(iv);
        const ready = makeKey(wordsOfBytes(key));
        cbc(ready, made, 0, middle, chain);
        cbc(ready, made, middle, made.length, chain);
        expect(encodeHex(bytesOfWords(made))).toBe(result);
      }
    }),
  );
});

it('encrypts every byte at every place', () => {
  const key = new Uint8Array(32).map((_, at) => at * 37);
  const data = new Uint8Array(256 * 16).map((_, at) => (at >> 4) + (at & 15) * 17);
  const cipher = createCipheriv('aes-256-cbc', key, new Uint8Array(16)).setAutoPadding(false);
  const sealed = cipher.update(data, undefined, 'hex') + cipher.final('hex');
  const iv = new Int32Array(4);
  expect(run(encryptionKey(wordsOfBytes(key)), wordsOfBytes(data), iv)).toBe(sealed);
  expect(run(decryptionKey(wordsOfBytes(key)), words(sealed), iv)).toBe(
    Buffer.from(data).toString('hex'),
  );
});
