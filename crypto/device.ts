// Records by the device's own crypto: one call of its port for a batch.
// Everything around the cipher is the same as in JavaScript, so either opens what the other sealed.

import type { DeviceCrypto, Entropy } from '../platform/ports.ts';
import { type BsoCrypto, bsoCrypto } from './bso.ts';

/** `pause` lets the device do other work and resolves in a later turn. */
export function deviceCrypto(
  device: DeviceCrypto,
  entropy: Entropy,
  pause: () => Promise<void>,
): BsoCrypto {
  return bsoCrypto(device, entropy, pause);
}
