// A program for the emulated device that computes from text to text what it is told, and says what
// was answered. texts-device.ts builds it and talks to it.

import { decodeBase64 } from '../../crypto/bytes.ts';
import { textCrypto } from '../../crypto/texts.ts';
import type { TextAlgorithm } from '../../platform/crypto-port.ts';
import type { Deliver, Host } from '../../platform/quickjs/host.ts';
import { programPlatform } from './program-platform.ts';

export interface TextOrder {
  readonly algorithm: TextAlgorithm;
  /** Base64. */
  readonly key: string;
  readonly items: readonly (readonly string[])[];
}

/** BRIDGE.md, "Loading". */
export function boot(host: Host): { deliver: Deliver; command: typeof command } {
  const { platform, deliver } = programPlatform(host);
  const compute = textCrypto(platform.crypto, () => platform.clock.pause(), 40_000);
  const none = new Uint8Array(0);
  let last: { text: string; key: Uint8Array } = { text: '', key: none };

  function command(id: number, _name: string, text: string): void {
    const { algorithm, key, items }: TextOrder = JSON.parse(text);
    if (key !== last.text) last = { text: key, key: decodeBase64(key) ?? none };
    compute(algorithm, last.key, items).then(
      (answers) => void host('reply', id, '', JSON.stringify({ answers }), null),
      ({ code = 'failed', message }: { code?: string; message: string }) =>
        void host('reply', id, code, JSON.stringify({ message }), null),
    );
  }

  return { deliver, command };
}
