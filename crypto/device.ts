// Records by the device's own crypto: one call of its port for a batch.
// Everything around the cipher is the same as in JavaScript, so either opens what the other sealed.

import type { DeviceCrypto } from '../platform/crypto-port.ts';
import type { Entropy } from '../platform/ports.ts';
import { type BsoCrypto, bsoCrypto } from './bso.ts';

/** `pause` and `bodyBytesMax`: see `bsoCrypto`. */
export function deviceCrypto(
  device: DeviceCrypto,
  entropy: Entropy,
  pause: () => Promise<void>,
  bodyBytesMax?: number,
): BsoCrypto {
  return bsoCrypto(device, entropy, pause, bodyBytesMax);
}
