// Who seals and opens BSOs: the device's own cryptography if it has some, else ours. Long records
// go through ours even so: it works in slices, and never holds a record twice.

import { type BsoCrypto, longPayloadUnits } from '../../crypto/bso.ts';
import { deviceCrypto } from '../../crypto/device.ts';
import { bodyBytesMax } from '../config.ts';
import type { Kept } from './remote.ts';

export function bsoCryptoOf({ platform, config }: Pick<Kept, 'platform' | 'config'>): BsoCrypto {
  const { crypto, entropy, clock } = platform;
  const pause = (): Promise<void> => clock.pause();
  const bytesMax = bodyBytesMax(config);
  let software: BsoCrypto | null = null;
  const ours = async (): Promise<BsoCrypto> => {
    const make = (await import('../../crypto/software.ts')).softwareCrypto;
    software ??= make(entropy, pause, bytesMax);
    return software;
  };
  const device = crypto && deviceCrypto(crypto, entropy, pause, bytesMax);
  return {
    seal: async (bundle, texts) => (device ?? (await ours())).seal(bundle, texts),
    async open(bundle, items, inside) {
      const isLong = items.some(({ payload }) => payload.length > longPayloadUnits);
      return (device && !isLong ? device : await ours()).open(bundle, items, inside);
    },
  };
}
