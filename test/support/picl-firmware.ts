// A program for the emulated device that verifies and opens a page of a PiCL log, a part at a time,
// as the agent's remote does it: it reads the page from the storage, and does what it is told.
// picl-device.ts builds it and talks to it.

import { piclKeys } from '../../agent/remotes/picl/keys.ts';
import { changesIn, type ListedChange } from '../../agent/remotes/picl/read.ts';
import { chainV1, GENESIS } from '../../agent/remotes/picl/scheme.ts';
import { openPayloads } from '../../agent/remotes/picl/seal.ts';
import { textCrypto } from '../../crypto/texts.ts';
import type { Deliver, Host } from '../../platform/quickjs/host.ts';
import { programPlatform } from './program-platform.ts';

/** In the order in which a page goes through them. */
export const PARTS = ['nothing', 'read', 'ids', 'signatures', 'open', 'parse'] as const;
export type Part = (typeof PARTS)[number];

/** Of the page in the storage, and of the user. */
export const PAGE_KEY = 'page';
export const KB = '5'.repeat(64);
export const COLLECTION = 'things';

/** BRIDGE.md, "Loading". */
export function boot(host: Host): { deliver: Deliver; command: typeof command } {
  const { platform, deliver } = programPlatform(host);
  const pause = () => platform.clock.pause();
  const crypto = textCrypto(platform.crypto, pause, 40_000);
  const keys = piclKeys({ kB: KB });
  const scheme = chainV1(crypto, keys.signKey(COLLECTION));
  const sealing = { crypto, key: keys.sealKey(COLLECTION), collection: COLLECTION };
  let page = '';
  let changes: readonly ListedChange[] = [];
  let texts: readonly string[] = [];

  const works: { readonly [part in Part | 'load']: () => Promise<void> } = {
    async load() {
      const [text] = await platform.storage.get([PAGE_KEY]);
      page = typeof text === 'string' ? text : '';
    },
    nothing: async () => undefined,
    async read() {
      ({ changes } = changesIn(JSON.parse(page)));
    },
    ids: async () => expectGood(await scheme.verify(GENESIS, changes)),
    signatures: async () => expectGood(await scheme.verifySignatures(changes)),
    async open() {
      const items = changes.map(({ key, seqnum, payload }) => {
        return { key, seqnum, payload: typeof payload === 'string' ? payload : '' };
      });
      texts = (await openPayloads(sealing, items)).map((one) => (one.ok ? one.text : ''));
    },
    async parse() {
      for (const text of texts) JSON.parse(text);
    },
  };

  function command(id: number, name: string, _text: string): void {
    const reply = (error: string, message: string): void =>
      void host('reply', id, error, JSON.stringify({ message }), null);
    works[name as Part]().then(
      () => reply('', ''),
      (error: { message: string }) => reply('failed', error.message),
    );
  }

  return { deliver, command };
}

function expectGood(wrong: number): void {
  if (wrong >= 0) throw new Error(`change ${wrong} is not what it must be`);
}
