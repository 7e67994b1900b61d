// Texts in pieces are the texts at once, wherever a piece ends.

import { expect, test } from 'vitest';
import { wordsOfBytes } from './bytes.ts';
import { isAscii, textOf, utf8Of } from './long-utf8.ts';
import { turnTaker } from './turn.ts';

const turn = turnTaker(async () => undefined);
const MARKS = ['', 'x', 'ü', '\u20ac', '\u{1f600}', '\ufeff'];
const LENGTHS = [0, 1, 15, 16, 17, 190, 191, 192, 193, 510, 511, 512, 513, 1_100, 5_000];
const TEXTS = LENGTHS.flatMap((length) => MARKS.map((mark) => `${'a'.repeat(length)}${mark}b`));

function wordsOf(bytes: Uint8Array): Int32Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 16) * 16);
  whole.set(bytes);
  return wordsOfBytes(whole);
}

test('a text is what it was, in UTF-8 and back', async () => {
  for (const text of TEXTS) {
    const bytes = await utf8Of(text, turn);
    expect(Buffer.from(bytes ?? [])).toEqual(Buffer.from(text));
    expect(await textOf(wordsOf(Buffer.from(text)), Buffer.byteLength(text), turn)).toBe(text);
    expect(await isAscii(text, turn)).toBe(Buffer.byteLength(text) === text.length);
  }
});

test('half a pair is no text, nor is what is no UTF-8', async () => {
  for (const length of LENGTHS) {
    const before = 'a'.repeat(length);
    expect(await utf8Of(`${before}\ud800b`, turn)).toBeNull();
    for (const bad of [[0xff], [0xc3], [0xed, 0xa0, 0x80]]) {
      const bytes = Buffer.concat([Buffer.from(before), Buffer.from(bad)]);
      expect(await textOf(wordsOf(bytes), bytes.length, turn)).toBeNull();
    }
  }
});

test('the device gets its turn, though a text is long', async () => {
  let turns = 0;
  const counted = turnTaker(async () => void turns++);
  const text = 'a'.repeat(200_000);
  await utf8Of(text, counted);
  expect(turns).toBeGreaterThan(10);
  turns = 0;
  await textOf(wordsOf(Buffer.from(text)), text.length, counted);
  expect(turns).toBeGreaterThan(3);
  turns = 0;
  await isAscii(text, counted);
  expect(turns).toBeGreaterThan(0);
});
