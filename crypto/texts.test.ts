// Where texts are computed, and what becomes of a device that fails at it or lies. That both ways
// compute the same is the contract's (test/contract/texts.ts).

import { expect, it, test } from 'vitest';
import type { DeviceCrypto, TextAlgorithm, TextAnswer } from '../platform/crypto-port.ts';
import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import { textCrypto } from './texts.ts';

type Compute = NonNullable<DeviceCrypto['computeTexts']>;

const key = new Uint8Array(32).fill(5);
const head = Buffer.alloc(13, 1).toString('base64url');
const pause = async (): Promise<void> => undefined;
const through = (computeTexts: Compute) => textCrypto({ computeTexts }, pause);

/** A batch is an item for each number, of so many characters. */
async function batchesOf(lengths: readonly number[]): Promise<number[][]> {
  const batches: number[][] = [];
  const compute: Compute = async (...of) => {
    batches.push(of[2].map(([text = '']) => text.length));
    return (await nodeDeviceCrypto().computeTexts?.(...of)) ?? [];
  };
  await through(compute)(
    'sha256',
    key,
    lengths.map((length) => ['x'.repeat(length)]),
  );
  return batches;
}

it('asks the device once for a batch of 64 items, or of 16 Ki characters', async () => {
  const many = await batchesOf(new Array(130).fill(10));
  expect(many.map(({ length }) => length)).toEqual([64, 64, 2]);
  expect(await batchesOf([7_000, 7_000, 7_000, 50_000, 7_000])).toEqual([
    ...[[7_000, 7_000], [7_000], [50_000], [7_000]],
  ]);
});

it('computes itself where the device does not', async () => {
  const { open, seal } = nodeDeviceCrypto();
  const device: DeviceCrypto = { open, seal };
  expect(await textCrypto(device, pause)('sha256', key, [['x']])).toEqual(
    await textCrypto(nodeDeviceCrypto(), pause)('sha256', key, [['x']]),
  );
});

const ITEMS: readonly (readonly [TextAlgorithm, readonly string[]])[] = [
  ['sha256', ['x']],
  ['hmac', ['x']],
  ['hmacCheck', ['x', 'A'.repeat(43)]],
  ['gcmEncrypt', [head, '', 'xyz']],
  ['gcmDecrypt', ['', 'A'.repeat(60)]],
];

test.each(ITEMS)('a device that cannot compute is an error of the device: %s', async (...of) => {
  const failing: Compute = async () => {
    throw Object.assign(new Error('the engine is busy'), { code: 'failed' });
  };
  await expect(through(failing)(of[0], key, [of[1]])).rejects.toMatchObject({
    code: 'badDevice',
    message: "badDevice: the device's cryptography: the engine is busy",
  });
});

test.each(ITEMS)('what the engine throws goes on as it is: %s', async (...of) => {
  const failure = new RangeError('out of memory');
  const failing: Compute = () => Promise.reject(failure);
  await expect(through(failing)(of[0], key, [of[1]])).rejects.toBe(failure);
});

test.each(ITEMS)('an answer that cannot be is one, too: %s', async (algorithm, item) => {
  const answering = (...answers: TextAnswer[]) =>
    through(async () => answers)(algorithm, key, [item]);
  const right = { sha256: 43, hmac: 43, hmacCheck: 0, gcmEncrypt: 43, gcmDecrypt: 10 }[algorithm];
  const good = { text: 'x'.repeat(right) };
  expect(await answering(good)).toEqual([good]);
  const bad = new Map([
    ['hmacCheck', [1]],
    ['gcmEncrypt', [0, 38, 41]],
    ['gcmDecrypt', [22]],
  ]).get(algorithm) ?? [0, 42, 44];
  for (const length of bad) {
    await expect(answering({ text: 'x'.repeat(length) })).rejects.toMatchObject({
      code: 'badDevice',
    });
  }
  await expect(answering()).rejects.toMatchObject({ code: 'badDevice' });
  await expect(answering(good, good)).rejects.toMatchObject({ code: 'badDevice' });
  const codes = ['badBase64', 'badIv', 'badMac', 'badPadding', 'badUtf8'] as const;
  const may = new Map([
    ['hmacCheck', ['badMac', 'badUtf8']],
    ['gcmDecrypt', ['badBase64', 'badMac', 'badUtf8']],
  ]).get(algorithm) ?? ['badUtf8'];
  for (const code of codes) {
    if (may.includes(code)) expect(await answering({ code })).toEqual([{ code }]);
    else await expect(answering({ code })).rejects.toMatchObject({ code: 'badDevice' });
  }
});
