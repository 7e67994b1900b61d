// A program for the emulated device that is crypto/ and the bridge alone: it computes what it is
// told over bytes that it has read from the storage, and writes the answers back. crypto-device.ts
// builds it and talks to it.

import { type AesItem, bulkCrypto } from '../../crypto/bulk.ts';
import { decodeBase64, encodeBase64 } from '../../crypto/bytes.ts';
import { type EcPublicKey, ecdh, ecPublicKey } from '../../crypto/p256.ts';
import { openSecretbox, secretbox } from '../../crypto/secretbox.ts';
import type { Value } from '../../platform/ports.ts';
import type { Deliver, Host } from '../../platform/quickjs/host.ts';
import { programPlatform } from './program-platform.ts';

/** What the program computes, and of how many values an item is. */
export const PIECES = {
  /** What an order costs by itself. */
  nothing: 1,
  sha256: 1,
  hmac: 1,
  cbcEncrypt: 2,
  cbcDecrypt: 2,
  gcmEncrypt: 3,
  gcmDecrypt: 3,
  /** A nonce, and a message or a box. */
  secretbox: 2,
  openSecretbox: 2,
  p256PublicKey: 1,
  /** The coordinates of the other's key. */
  p256Agree: 2,
};
export type Computation = keyof typeof PIECES;

export type Order =
  /** Reads so many values of the storage, `0`, `1` and so on; the first one is the key. */
  | { readonly order: 'load'; readonly count: number }
  | { readonly order: 'run'; readonly computation: Computation }
  /** Writes the answers over the values; what was refused is missing then. */
  | { readonly order: 'store' };

/** BRIDGE.md, "Loading". */
export function boot(host: Host): { deliver: Deliver; command: typeof command } {
  const { platform, deliver } = programPlatform(host);
  const pause = () => platform.clock.pause();
  const bulk = bulkCrypto(platform.crypto, pause);
  let loaded: Uint8Array[] = [];
  let answers: readonly (Uint8Array | null)[] = [];

  const eachOf = (items: Items, work: (item: Pieces) => Promise<Uint8Array | null>) =>
    Promise.all(items.map((item) => work(item)));
  const works: { readonly [name in Computation]: Work } = {
    nothing: async () => [],
    sha256: (_, items) => bulk.sha256(items.flat()),
    hmac: (key, items) => bulk.hmac(key, items.flat()),
    cbcEncrypt: (key, items) => bulk.encrypt('cbc', key, items.map(aesItem)),
    cbcDecrypt: (key, items) => bulk.decrypt('cbc', key, items.map(aesItem)),
    gcmEncrypt: (key, items) => bulk.encrypt('gcm', key, items.map(aesItem)),
    gcmDecrypt: (key, items) => bulk.decrypt('gcm', key, items.map(aesItem)),
    secretbox: (key, items) =>
      eachOf(items, ([nonce = NONE, text = NONE]) => secretbox(text, nonce, key, pause)),
    openSecretbox: (key, items) =>
      eachOf(items, ([nonce = NONE, box = NONE]) => openSecretbox(box, nonce, key, pause)),
    p256PublicKey: async (key) => [decodeBase64((await ecPublicKey(key, pause)).x, 'url')],
    p256Agree: (key, items) =>
      eachOf(items, ([x = NONE, y = NONE]) => ecdh(key, publicKey(x, y), pause)),
  };

  async function obey(order: Order): Promise<void> {
    if (order.order === 'load') {
      const keys = Array.from({ length: order.count }, (_, at) => `${at}`);
      loaded = (await platform.storage.get(keys)).filter(isBytes);
    } else if (order.order === 'run') {
      const [key = NONE, ...values] = loaded;
      const pieces = PIECES[order.computation];
      const items: Uint8Array[][] = [];
      for (let at = 0; at < values.length; at += pieces) items.push(values.slice(at, at + pieces));
      answers = await works[order.computation](key, items);
    } else await platform.storage.commit(answers.map((answer, at) => [`${at}`, answer]));
  }

  function command(id: number, _name: string, text: string): void {
    const reply = (error: string, message: string): void =>
      void host('reply', id, error, JSON.stringify({ message }), null);
    obey(JSON.parse(text)).then(
      () => reply('', ''),
      (error: { code?: string; message: string }) => reply(error.code ?? 'failed', error.message),
    );
  }

  return { deliver, command };
}

type Pieces = readonly Uint8Array[];
type Items = readonly Pieces[];
type Work = (key: Uint8Array, items: Items) => Promise<readonly (Uint8Array | null)[]>;

const NONE = new Uint8Array(0);

function aesItem(pieces: Pieces): AesItem {
  const [iv = NONE, bytes = NONE] = pieces.length === 3 ? [pieces[0], pieces[2]] : pieces;
  return pieces.length === 3 ? { iv, bytes, aad: pieces[1] ?? NONE } : { iv, bytes };
}

function publicKey(x: Uint8Array, y: Uint8Array): EcPublicKey {
  return { kty: 'EC', crv: 'P-256', x: encodeBase64(x, 'url'), y: encodeBase64(y, 'url') };
}

function isBytes(value: Value | null): value is Uint8Array {
  return value instanceof Uint8Array;
}
