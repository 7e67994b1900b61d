// UTF-8 against Node's own coders, in pieces cut anywhere.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { badUtf8, someText } from '../test/contract/crypto-cases.ts';
import { wordsOfBytes } from './bytes.ts';
import { encodeUtf8, isWellFormed, utf8Decoder } from './utf8.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array, pieceBytes: number): string | null {
  const decoder = utf8Decoder();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.slice(at, at + pieceBytes);
    const whole = new Uint8Array(Math.ceil(piece.length / 4) * 4 + 4);
    whole.set(piece, 4);
    if (!decoder.push(wordsOfBytes(whole), 1, piece.length)) return null;
  }
  return decoder.finish();
}

function decodeByNode(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

it('reads what Node reads and refuses what Node refuses, cut anywhere', () => {
  const likely = fc.constantFrom(
    0x41,
    0x80,
    0xbf,
    0xc2,
    0xe0,
    0xa0,
    0xed,
    0x9f,
    0xef,
    0xf0,
    0x90,
    0xf4,
    0x8f,
  );
  const bytes = fc.array(fc.oneof(likely, fc.nat(255)), { maxLength: 24 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 30 }), (some, pieceBytes) => {
      const array = new Uint8Array(some);
      expect(decode(array, pieceBytes)).toBe(decodeByNode(array));
    }),
    { numRuns: 5000 },
  );
});

it.each([...badUtf8, [0xef, 0xbb, 0xbf], [0]])('agrees with Node about %j %j %j', (...bytes) => {
  const array = new Uint8Array(bytes.filter((byte) => byte !== undefined));
  for (let pieceBytes = 1; pieceBytes < 5; pieceBytes++) {
    expect(decode(array, pieceBytes)).toBe(decodeByNode(array));
  }
});

it('reads and writes every character', () => {
  for (let from = 0; from < 0x110000; from += 0x800) {
    if (from === 0xd800) continue;
    const points = Array.from({ length: 0x800 }, (_, at) => from + at);
    const text = String.fromCodePoint(...points);
    const bytes = encodeUtf8(text);
    expect(Buffer.from(text).equals(bytes)).toBe(true);
    expect(decode(bytes, 48) === text).toBe(true);
  }
});

it('reads a long text in pieces of 48 bytes', () => {
  const text = someText(50_000);
  expect(decode(encodeUtf8(text), 48) === text).toBe(true);
});

it('refuses to write half a surrogate pair', () => {
  for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800', '\ud800\ud800\udc00']) {
    expect(isWellFormed(text)).toBe(false);
    expect(() => encodeUtf8(text)).toThrow(expect.objectContaining({ code: 'badText' }));
  }
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('\ud83d', '\ude00', 'a', 'é') }), (text) => {
      expect(isWellFormed(text)).toBe(Buffer.from(text).toString() === text);
    }),
  );
});
