// Texts to texts in JavaScript alone: the whole contract, and what is kept from a hash to the
// opening of what was hashed.

import { expect, test } from 'vitest';
import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import { textContract } from '../test/contract/texts.ts';
import { softwareTexts } from './software-texts.ts';
import { textCrypto } from './texts.ts';

const pause = async (): Promise<void> => undefined;

textContract('in JavaScript alone', () => textCrypto(undefined, pause));
textContract('in JavaScript that keeps what it has hashed', () =>
  textCrypto(undefined, pause, 40_000),
);

const key = new Uint8Array(32).fill(7);
const none = new Uint8Array(0);
const head = Buffer.alloc(13, 1).toString('base64url');
const sealed = async (text: string): Promise<string> => {
  const [answer] =
    (await nodeDeviceCrypto().computeTexts?.('gcmEncrypt', key, [[head, '', text]])) ?? [];
  return answer !== undefined && 'text' in answer ? answer.text : '';
};

test('what is kept is bounded, and opens as often as it is asked for', async () => {
  const compute = softwareTexts(pause, 1_000);
  const boxes: string[] = [];
  for (const length of [100, 200, 300, 400, 1_500]) boxes.push(await sealed('x'.repeat(length)));
  await compute(
    'sha256',
    none,
    [...boxes, ...boxes].map((box) => [box]),
  );
  for (let times = 0; times < 2; times++) {
    const opened = await compute(
      'gcmDecrypt',
      key,
      boxes.map((box) => ['', box]),
    );
    expect(opened.map((one) => 'text' in one && one.text.length)).toEqual([
      ...[100, 200, 300, 400, 1_500],
    ]);
  }
});

test('the device gets its turn within a long text', async () => {
  let turns = 0;
  const compute = softwareTexts(async () => void turns++, 0);
  const box = await sealed('x'.repeat(100_000));
  for (const [algorithm, ...item] of [
    ['sha256', box],
    ['hmac', box],
    ['gcmEncrypt', head, '', 'x'.repeat(100_000)],
    ['gcmDecrypt', '', box],
  ] as const) {
    turns = 0;
    await compute(algorithm, key, [item]);
    expect(turns, algorithm).toBeGreaterThan(20);
  }
});
