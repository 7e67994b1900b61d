// Texts in pieces, as a CBOR library and Node have them.

import { decodeMultiple } from 'cbor-x';
import { expect, test } from 'vitest';
import { itemsOf, next, piecesOf, readerOf, takePieces } from './texts.ts';

const bytesOf = (text: string): number => Buffer.byteLength(text);
const TEXTS = [
  '',
  'plain',
  'x'.repeat(127),
  'x'.repeat(128),
  `${'x'.repeat(126)}ü`,
  `${'x'.repeat(125)}ü`,
  `${'x'.repeat(124)}\u{1f600}${'€'.repeat(50)}`,
  'ü'.repeat(200),
  'ünï cödé, €, \u{1f600} and more '.repeat(9),
  `\u07ff\u0800\ud7ff\ue000\uffff${'\u{10ffff}'.repeat(40)}`,
];

test.each(TEXTS)('%j comes back, in pieces that are as long as they may be', (text) => {
  const pieces = piecesOf(text);
  const cbor = itemsOf(pieces);
  expect(takePieces(readerOf(cbor), pieces.cuts.length / 2)).toEqual(pieces);
  expect(pieces.bytes).toBe(bytesOf(cbor));
  const all: string[] = text === '' ? [] : (decodeMultiple(Buffer.from(cbor)) as string[]);
  expect(all.join('')).toBe(text);
  for (const [at, piece] of all.entries()) {
    const [first = ''] = all[at + 1] ?? [];
    expect(bytesOf(piece)).toBeLessThanOrEqual(127);
    expect(bytesOf(piece + first) > 127 || first === '').toBe(true);
  }
});

test.each(TEXTS)('%j is read wherever others have cut it', (text) => {
  for (const chars of [1, 2, 7, 24, 31]) {
    const pieces = text.match(new RegExp(`[^]{1,${chars}}`, 'gu')) ?? [];
    const cbor = pieces.map((piece) => itemsOf(piecesOf(piece))).join('');
    const reader = readerOf(`${cbor}\x61x`);
    expect(takePieces(reader, pieces.length)?.text).toBe(text);
    expect(next(reader)).toBe('x');
    expect(next(reader)).toBeNull();
  }
});

test('no text ends within a character', () => {
  for (const text of ['ü', '€', '\u{1f600}']) {
    for (let bytes = 1; bytes < bytesOf(text); bytes++) {
      const head = String.fromCharCode(0x60 + bytes);
      expect(next(readerOf(`${head}${text}${text}`))).toBeNull();
    }
    expect(next(readerOf(`${String.fromCharCode(0x60 + bytesOf(text))}${text}`))).toBe(text);
  }
});
