// The text of a page with its longest strings left out: wherever the answer is cut into pieces, and
// however JSON spells it.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer } from '../../wire/http.ts';
import { pageText } from './page-text.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** An answer in pieces of such lengths, over and over. */
function answerOf(text: string, lengths: readonly number[] = [text.length]) {
  let at = 0;
  let turn = 0;
  const seen = { pauses: 0, isCancelled: false };
  const answer: Pick<Answer, 'read' | 'cancel' | 'pause'> = {
    async read() {
      if (at >= text.length) return null;
      const end = at + Math.max(1, lengths[turn++ % lengths.length] ?? 1);
      const piece = text.slice(at, end);
      at = end;
      return piece;
    },
    cancel: () => {
      seen.isCancelled = true;
    },
    pause: async () => void seen.pauses++,
  };
  return { answer: answer as Answer, seen };
}

const read = (text: string, stringCharsMax: number, lengths?: readonly number[]) =>
  pageText(answerOf(text, lengths).answer, 1_000_000, stringCharsMax);

/** As a page has to be read: strings that are longer than so much are numbers. */
function shortened(text: string, charsMax: number): { json: unknown; left: string[] } {
  const left: string[] = [];
  const json = JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'string' || JSON.stringify(value).length - 2 <= charsMax) return value;
    return -left.push(value);
  });
  return { json, left };
}

test('a string that is too long is its hash, whatever pieces it comes in', async () => {
  const value = fc.oneof(
    fc.string({ maxLength: 40, unit: 'binary' }),
    fc.string({
      maxLength: 60,
      unit: fc.constantFrom('a', '"', '\\\\', '\ud83d\ude00', 'é', '\n'),
    }),
    fc.integer(),
  );
  const list = fc.array(fc.record({ key: fc.constant('k'), payload: value }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(list, fc.array(fc.integer({ min: 1, max: 9 })), async (changes, lengths) => {
      const text = JSON.stringify({ changes });
      const page = await read(text, 16, lengths.length > 0 ? lengths : undefined);
      const { json, left } = shortened(text, 16);
      expect(JSON.parse(page?.text ?? '')).toEqual(json);
      expect(page?.unread.map((one) => one.sha256)).toEqual(left.map(sha256));
      expect(page?.chars).toBe(text.length);
    }),
  );
});

test('it is hashed as what it means, however it is spelt', async () => {
  const means = `${'a='.repeat(30)}\ud83d\ude00é`;
  const spelt = means.replace(/[\s\S]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  for (let length = 1; length < 15; length++) {
    const page = await read(`{"payload":"${spelt}"}`, 20, [length]);
    expect(page).toMatchObject({ text: '{"payload":-1}', unread: [{ sha256: sha256(means) }] });
  }
});

test('half a surrogate pair in it has no hash', async () => {
  for (const half of ['\\ud83d', '\\ude00', `\\ud83d${'x'.repeat(9)}`]) {
    for (const text of [`${half}${'x'.repeat(30)}`, `${'x'.repeat(30)}${half}`]) {
      const page = await read(`"${text}"`, 20, [7]);
      expect(page?.unread).toEqual([{ sha256: '' }]);
    }
  }
});

test.each([
  ['a line end', 'x\n'],
  ['an escape that is none', '\\x'],
  ['an escape of letters', '\\u00zz'],
])('%s in it: it is no JSON', async (_, wrong) => {
  for (const text of [`${wrong}${'x'.repeat(30)}`, `${'x'.repeat(30)}${wrong}`]) {
    for (const length of [1, 8, 99]) {
      await expect(read(`{"a":"${text}"}`, 20, [length])).rejects.toMatchObject({
        code: 'badResponse',
      });
    }
  }
});

test('what ends in a string is no JSON', async () => {
  for (const cut of ['{"a":"xx', `{"a":"${'x'.repeat(99)}`, '{"a":"\\']) {
    const page = await read(cut, 20, [3]);
    expect(() => JSON.parse(page?.text ?? '')).toThrow();
  }
});

test('what is too long without it is not read on, and neither is what does not end', async () => {
  const many = answerOf(`[${'"aaaaaaaa",'.repeat(1_000)}1]`, [100]);
  expect(await pageText(many.answer, 2_000, 20)).toBeNull();
  expect(many.seen.isCancelled).toBe(true);
  let pieces = 0;
  const endless = {
    ...many.answer,
    read: async () => (pieces++ === 0 ? '{"a":"' : 'x'.repeat(65_536)),
  };
  expect(await pageText(endless, 2_000, 1_000)).toBeNull();
  expect(pieces).toBeLessThan(70);
});

test('a long one takes turns, and no memory', async () => {
  const { answer, seen } = answerOf(`{"payload":"${'x'.repeat(100_000)}"}`, [50_000]);
  expect(await pageText(answer, 200, 100)).toMatchObject({ text: '{"payload":-1}' });
  // As many as hashing has.
  expect(seen.pauses).toBeGreaterThan(20);
});
