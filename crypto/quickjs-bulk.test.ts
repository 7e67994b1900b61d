// Bulk work on the emulated device: the whole contract there, by its own cryptography and in
// JavaScript, and how much of the processor it may have in one go. The counts are exact and the
// same at every run.

import { beforeAll, describe, expect, it, test } from 'vitest';
import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import { bulkContract } from '../test/contract/bulk.ts';
import { type CryptoDevice, cryptoDevice, cryptoFirmware } from '../test/support/crypto-device.ts';
import type { Computation } from '../test/support/crypto-firmware.ts';

const firmware = await cryptoFirmware();

bulkContract('on the emulated device', () => cryptoDevice(firmware), { numRuns: 10 });
// Fewer lengths, which take a machine their time; the longest one is among them.
bulkContract('in JavaScript on the emulated device', () => cryptoDevice(firmware, null), {
  lengths: [255, 256, 257, 3_072, 3_073, 65_536],
  numRuns: 10,
});

const of = (length: number) => new Uint8Array(length).map((_, at) => at * 7);

/** An item of so many bytes for each computation, with its key. */
const ITEMS = new Map<Computation, (length: number) => Uint8Array[]>([
  ['sha256', (length) => [of(0), of(length)]],
  ['hmac', (length) => [of(32), of(length)]],
  ['cbcEncrypt', (length) => [of(32), of(16), of(length)]],
  ['cbcDecrypt', (length) => [of(32), of(16), of(length)]],
  ['gcmEncrypt', (length) => [of(32), of(12), of(length / 4), of(length)]],
  ['gcmDecrypt', (length) => [of(32), of(12), of(length / 4), of(length)]],
  ['secretbox', (length) => [of(32), of(24), of(length)]],
  ['openSecretbox', (length) => [of(32), of(24), of(length)]],
]);
const KEY_OF_P256 = new Uint8Array(32).fill(3);

describe('a slice of work', () => {
  let ours: CryptoDevice;
  let theirs: CryptoDevice;
  beforeAll(async () => {
    ours = await cryptoDevice(firmware, null);
    theirs = await cryptoDevice(firmware);
  });

  test.each([...ITEMS])(
    'is 30 million instructions at most in JavaScript: %s',
    async (name, item) => {
      for (const length of [1_024, 40_000]) {
        const { longestSlice } = await ours.run(name, item(length));
        expect(longestSlice).toBeLessThan(30e6);
      }
      const many = Array.from({ length: 20 }, () => item(300).slice(1)).flat();
      const { longestSlice } = await ours.run(name, [...item(300).slice(0, 1), ...many]);
      expect(longestSlice).toBeLessThan(30e6);
    },
  );

  test.each([...ITEMS])(
    'is 8 million where the device computes, or a box is small: %s',
    async (...[name, item]) => {
      for (const length of [400, 1_024, 65_536]) {
        const { longestSlice } = await theirs.run(name, item(length));
        expect(longestSlice).toBeLessThan(8e6);
      }
    },
  );

  test('is 30 million at most of a key pair', async () => {
    const { longestSlice, answers } = await ours.run('p256PublicKey', [KEY_OF_P256]);
    expect(longestSlice).toBeLessThan(30e6);
    const x = answers[0] ?? of(32);
    expect(x).toHaveLength(32);
  });
});

it('costs the device its own time, by the KiB that is begun', async () => {
  const device = await cryptoDevice(firmware);
  const spent = async (length: number) =>
    Math.floor((await device.run('sha256', [of(0), of(length)])).durationMs);
  expect([await spent(0), await spent(1_024), await spent(1_025), await spent(65_536)]).toEqual([
    ...[1, 1, 2, 64],
  ]);
});

it('tells that the device has failed, and nothing of the data', async () => {
  const failing = async () => {
    throw Object.assign(new Error('busy'), { code: 'failed' });
  };
  const device = await cryptoDevice(firmware, { ...nodeDeviceCrypto(), compute: failing });
  const box = { iv: of(12), bytes: of(40) };
  await expect(device.decrypt('gcm', of(32), [box])).rejects.toMatchObject({ code: 'badDevice' });
});
