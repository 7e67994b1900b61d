// Texts to texts on the emulated device: the whole contract there, by its own cryptography and in
// JavaScript, and how much of the processor it may have in one go. The counts are exact and the
// same at every run.

import { expect, test } from 'vitest';
import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import { textContract } from '../test/contract/texts.ts';
import { textsDevice } from '../test/support/texts-device.ts';

textContract('on the emulated device', async () => (await textsDevice()).compute, {
  numRuns: 10,
});
// Fewer lengths, which take a machine their time.
textContract(
  'in JavaScript on the emulated device',
  async () => (await textsDevice(null)).compute,
  {
    lengths: [255, 256, 257, 3_072, 20_000],
    numRuns: 10,
  },
);

const KEY = new Uint8Array(32).fill(3);
const HEAD = Buffer.alloc(13, 1).toString('base64url');

test('a slice of it is 30 million instructions at most in JavaScript', async () => {
  const device = await textsDevice(null);
  const text = 'x'.repeat(20_000);
  const [sealed] = await device.compute('gcmEncrypt', KEY, [[HEAD, '', text]]);
  expect(device.longestSlice()).toBeLessThan(30e6);
  const box = sealed !== undefined && 'text' in sealed ? sealed.text : '';
  const short = Array.from({ length: 20 }, () => [box.slice(0, 1_500)]);
  for (const [algorithm, items] of [
    ['sha256', [[box]]],
    ['sha256', [[`${'x'.repeat(20_000)}ü`]]],
    ['sha256', short],
    ['hmac', [[text]]],
    ['gcmDecrypt', [['', box]]],
  ] as const) {
    await device.compute(algorithm, KEY, items);
    expect(device.longestSlice(), algorithm).toBeLessThan(30e6);
  }
});

test('it tells that the device has failed, and nothing of the data', async () => {
  const failing = async () => {
    throw Object.assign(new Error('busy'), { code: 'failed' });
  };
  const { compute } = await textsDevice({ ...nodeDeviceCrypto(), computeTexts: failing });
  await expect(compute('sha256', KEY, [['x']])).rejects.toMatchObject({ code: 'badDevice' });
});
