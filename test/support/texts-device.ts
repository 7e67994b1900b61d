// The emulated device with nothing on it but what computes from text to text: texts-firmware.ts.

import type { TextCrypto } from '../../crypto/texts.ts';
import type { DeviceCrypto, TextAnswer } from '../../platform/crypto-port.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { programFirmware, switchedOn } from './crypto-device.ts';

interface TextsDevice {
  readonly compute: TextCrypto;
  /** Instructions of the longest slice since it was asked last. */
  longestSlice(): number;
}

/** A television that is switched on; `crypto`: its own, null where it has none. */
export async function textsDevice(
  crypto: DeviceCrypto | null = nodeDeviceCrypto(),
): Promise<TextsDevice> {
  const firmware = await programFirmware('texts-firmware.ts');
  const device = switchedOn(new MemoryStorage(), firmware, crypto);
  await device.boot();
  device.resetSlices();
  return {
    async compute(algorithm, key, items) {
      const order = { algorithm, key: Buffer.from(key).toString('base64'), items };
      const { answers } = (await device.command('compute', order)) as { answers: TextAnswer[] };
      return answers;
    },
    longestSlice() {
      const { longestSlice } = device.counters();
      device.resetSlices();
      return longestSlice;
    },
  };
}
