// What cryptography over bytes costs the emulated device, operation by operation: once in
// JavaScript, once where the device computes itself. Counts are the machine's instructions, the
// same at every run; what the order itself and its bytes cost is in them.

import { type CryptoDevice, cryptoDevice, cryptoFirmware } from '../support/crypto-device.ts';
import type { Computation } from '../support/crypto-firmware.ts';

interface CryptoCost {
  readonly computation: Computation;
  readonly kib: number;
  readonly inJavaScript: number;
  readonly longestSlice: number;
  /** The same by the device; a secretbox is never the device's. */
  readonly byDevice: number;
}

/** Every operation over 1 and over 64 KiB. */
export async function* cryptoCosts(): AsyncGenerator<CryptoCost> {
  const firmware = await cryptoFirmware();
  const ours = await cryptoDevice(firmware, null);
  const theirs = await cryptoDevice(firmware);
  for (const [computation, before] of BEFORE) {
    for (const kib of [1, 64]) {
      const bytes = await textFor(theirs, computation, new Uint8Array(kib * 1024).fill(7));
      const values = [...before.map((length) => new Uint8Array(length).fill(5)), bytes];
      const { instructions, longestSlice } = await ours.run(computation, values);
      const byDevice = (await theirs.run(computation, values)).instructions;
      yield { computation, kib, inJavaScript: instructions, longestSlice, byDevice };
    }
  }
}

/** What comes before the bytes of an item, by lengths: the key first. */
const BEFORE = new Map<Computation, readonly number[]>([
  ['sha256', [0]],
  ['hmac', [32]],
  ['cbcEncrypt', [32, 16]],
  ['cbcDecrypt', [32, 16]],
  ['gcmEncrypt', [32, 12, 0]],
  ['gcmDecrypt', [32, 12, 0]],
  ['secretbox', [32, 24]],
  ['openSecretbox', [32, 24]],
]);

/** What is decrypted is sealed first, so that all of it is worked through. */
async function textFor(
  device: CryptoDevice,
  computation: Computation,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const sealing = SEALED_BY.get(computation);
  if (sealing === undefined) return bytes;
  const before = (BEFORE.get(sealing) ?? []).map((length) => new Uint8Array(length).fill(5));
  const [sealed] = (await device.run(sealing, [...before, bytes])).answers;
  return sealed ?? bytes;
}

const SEALED_BY = new Map<Computation, Computation>([
  ['cbcDecrypt', 'cbcEncrypt'],
  ['gcmDecrypt', 'gcmEncrypt'],
  ['openSecretbox', 'secretbox'],
]);
