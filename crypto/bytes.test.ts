// Bytes as text and back: agreement with Node's Buffer, and everything that strictness refuses.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  bytesOfWords,
  concatBytes,
  decodeBase64,
  decodeHex,
  encodeBase64,
  encodeHex,
  equalBytes,
  textOfCodes,
  wordsOfBytes,
} from './bytes.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

it('writes base64 and hexadecimal digits as Node does, and reads them back', () => {
  fc.assert(
    fc.property(bytes, (some) => {
      const buffer = Buffer.from(some);
      expect(encodeBase64(some)).toBe(buffer.toString('base64'));
      expect(encodeBase64(some, 'url')).toBe(buffer.toString('base64url'));
      expect(encodeHex(some)).toBe(buffer.toString('hex'));
      expect(decodeBase64(encodeBase64(some))).toEqual(some);
      expect(decodeBase64(encodeBase64(some, 'url'), 'url')).toEqual(some);
      expect(decodeHex(encodeHex(some).toUpperCase())).toEqual(some);
    }),
  );
});

it('reads as base64 only what it would write itself', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ABzZ019+/-_= \n\0é'), maxLength: 9 });
  fc.assert(
    fc.property(text, (some) => {
      const read = decodeBase64(some);
      if (read !== null) expect(encodeBase64(read)).toBe(some);
      const fromUrl = decodeBase64(some, 'url');
      if (fromUrl !== null) expect(encodeBase64(fromUrl, 'url')).toBe(some);
    }),
    { numRuns: 2000 },
  );
});

it.each(['A', 'AA', 'AAA', 'AA=', 'A===', '====', 'AB==', 'AAB=', 'AA==AAAA', 'AA-_', 'AAAA\n'])(
  'refuses %j as base64',
  (text) => {
    expect(decodeBase64(text)).toBeNull();
  },
);

it.each(['A', 'AA==', 'AAAAA', 'AB', 'AA+/', 'AA\n'])('refuses %j as base64url', (text) => {
  expect(decodeBase64(text, 'url')).toBeNull();
});

it.each(['0', '0g', ' 00', '0x', '00\n', '٠٠'])('refuses %j as hexadecimal digits', (text) => {
  expect(decodeHex(text)).toBeNull();
});

it('joins, compares and turns bytes into words', () => {
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      expect(concatBytes(one, other)).toEqual(new Uint8Array([...one, ...other]));
      expect(equalBytes(one, other)).toBe(Buffer.from(one).equals(other));
      expect(equalBytes(one, one.slice())).toBe(true);
      const whole = one.slice(0, one.length & ~3);
      expect(bytesOfWords(wordsOfBytes(whole))).toEqual(whole);
    }),
  );
  expect(equalBytes(new Uint8Array(2), new Uint8Array(3))).toBe(false);
  expect(equalBytes(new Uint8Array(3), new Uint8Array(2))).toBe(false);
});

it('makes long texts of their units', () => {
  const units = Array.from({ length: 100_000 }, (_, at) => at % 0xd800);
  expect(textOfCodes(units)).toBe(units.map((unit) => String.fromCharCode(unit)).join(''));
});
