// That hashes are right is the contract's (test/contract/texts.ts): here is what is kept of them.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bytesOfWords } from './bytes.ts';
import { hashText, readSealed, readTail, textReader } from './text-hash.ts';
import { turnTaker } from './turn.ts';

const turn = turnTaker(async () => undefined);
const textOf = (length: number) =>
  Buffer.from(new Uint8Array(length).map((_, at) => at * 37 + length)).toString('base64url');
const bytesIn = async (reader: ReturnType<typeof textReader>, text: string) => {
  const read = await readSealed(reader, text);
  return read && Buffer.from(bytesOfWords(read.words)).subarray(0, read.byteCount);
};

test('what base64url means is the same, be it hashed before or not, at every length', async () => {
  const [keeping, other] = [textReader(turn, 10_000), textReader(turn, 0)];
  for (let length = 0; length < 200; length++) {
    const text = textOf(length);
    const digest = createHash('sha256').update(text).digest('base64url');
    expect(await hashText(keeping, text)).toEqual({ text: digest });
    for (const reader of [keeping, other]) {
      expect(await bytesIn(reader, text), text).toEqual(Buffer.from(text, 'base64url'));
    }
  }
});

test('what was hashed is kept once, and so much of it', async () => {
  const reader = textReader(turn, 300);
  const [first, second, long] = [textOf(90), textOf(120), textOf(240)];
  for (const text of [first, second, second]) await hashText(reader, text);
  expect([reader.kept.take(first), reader.kept.take(second)]).not.toContain(null);
  expect([reader.kept.take(first), reader.kept.take(second)]).toEqual([null, null]);
  await hashText(reader, first);
  await hashText(reader, long);
  expect(reader.kept.take(long)).toBeNull();
  await hashText(reader, second);
  await hashText(reader, textOf(121));
  // Whoever did not take them will not come.
  expect(reader.kept.take(first)).toBeNull();
});

test('a text with bits that mean nothing is none, and is not kept', async () => {
  const reader = textReader(turn, 1_000);
  const text = `${textOf(90)}AB`;
  await hashText(reader, text);
  expect(reader.kept.take(text)).toBeNull();
  expect(await readSealed(reader, text)).toBeNull();
  const [block, words] = [new Int32Array(16), new Int32Array(12)];
  const isRead = (tail: string) => readTail(reader.digits, tail, block, words, 0);
  expect(['', 'AA', 'AAA', 'AAAA'].map(isRead)).toEqual([true, true, true, true]);
  expect(['A', 'AB', 'AAB', 'AAAAA', '!AAA', 'AA=='].map(isRead)).not.toContain(true);
});
