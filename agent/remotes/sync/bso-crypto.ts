// Who seals and opens BSOs: the device's own cryptography if it has some, else ours. Long records
// go through ours even so: it works in slices, and never holds a record twice.

import { type BsoCrypto, longPayloadUnits } from '../../../crypto/bso.ts';
import { deviceCrypto } from '../../../crypto/device.ts';
import { softwareCrypto } from '../../../crypto/software.ts';
import { bodyBytesMax } from '../../config.ts';
import type { Kept } from '../remote.ts';

export function bsoCryptoOf({ platform, config }: Pick<Kept, 'platform' | 'config'>): BsoCrypto {
  const { crypto, entropy, clock } = platform;
  const pause = (): Promise<void> => clock.pause();
  const bytesMax = bodyBytesMax(config);
  const ours = softwareCrypto(entropy, pause, bytesMax);
  if (crypto === undefined) return ours;
  const device = deviceCrypto(crypto, entropy, pause, bytesMax);
  return {
    seal: (bundle, texts) => device.seal(bundle, texts),
    open(bundle, items) {
      const isLong = items.some(({ payload }) => payload.length > longPayloadUnits);
      return (isLong ? ours : device).open(bundle, items);
    },
  };
}
