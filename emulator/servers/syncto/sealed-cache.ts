// What a gateway keeps for a while, sealed: the name of an entry is a keyed hash of what the client
// proves itself with, its value a secretbox whose key comes from the secret and that proof. So who
// reads the cache learns nothing, with the secret nothing either while the proof is not at hand,
// and an entry that was changed, moved, or sealed under another secret is as good as none.

import { createHmac } from 'node:crypto';
import nacl from 'tweetnacl';

/** Where sealed entries lie; it may forget any of them at any time. */
export interface CacheStore {
  get(name: string): Promise<string | null>;
  /** Replaces an entry, and forgets it after `lifeMs`. */
  put(name: string, value: string, lifeMs: number): Promise<void>;
}

interface SealedCacheOptions {
  readonly store: CacheStore;
  /** 32 random bytes or more, the same ones in every process that shares the store. */
  readonly secret: Uint8Array;
  random(count: number): Uint8Array;
}

export class SealedCache {
  readonly #options: SealedCacheOptions;

  constructor(options: SealedCacheOptions) {
    this.#options = options;
  }

  /** What is kept under a proof; null: nothing, or nothing that opens. */
  async get(proof: string): Promise<string | null> {
    const sealed = await this.#options.store.get(this.#name(proof));
    if (sealed === null) return null;
    const bytes = Uint8Array.from(Buffer.from(sealed, 'base64'));
    const { nonceLength, overheadLength } = nacl.secretbox;
    if (bytes.length < nonceLength + overheadLength) return null;
    const nonce = bytes.subarray(0, nonceLength);
    const plain = nacl.secretbox.open(bytes.subarray(nonceLength), nonce, this.#key(proof));
    return plain && Buffer.from(plain).toString('utf8');
  }

  /** Keeps a text for so long, sealed. */
  async put(proof: string, text: string, lifeMs: number): Promise<void> {
    const nonce = Uint8Array.from(this.#options.random(nacl.secretbox.nonceLength));
    const box = nacl.secretbox(Uint8Array.from(Buffer.from(text)), nonce, this.#key(proof));
    const sealed = Buffer.concat([nonce, box]).toString('base64');
    await this.#options.store.put(this.#name(proof), sealed, lifeMs);
  }

  #name(proof: string): string {
    return `credentials_${Buffer.from(this.#hash('name', proof)).toString('hex')}`;
  }

  #key(proof: string): Uint8Array {
    return this.#hash('key', proof);
  }

  #hash(use: 'name' | 'key', proof: string): Uint8Array {
    const { secret } = this.#options;
    return new Uint8Array(createHmac('sha256', secret).update(`${use} ${proof}`).digest());
  }
}

/** More than a process meets within the life of an entry; the oldest goes for the newest. */
const ENTRIES_MAX = 20_000;

/** A store in memory, of one process. */
export function memoryCacheStore(nowMs: () => number): CacheStore {
  const kept = new Map<string, { readonly value: string; readonly untilMs: number }>();
  const forgetOld = (): void => {
    for (const [name, { untilMs }] of kept) {
      if (untilMs > nowMs() && kept.size < ENTRIES_MAX) return;
      kept.delete(name);
    }
  };
  return {
    async get(name) {
      const entry = kept.get(name);
      return entry && entry.untilMs > nowMs() ? entry.value : null;
    },
    async put(name, value, lifeMs) {
      forgetOld();
      kept.delete(name);
      kept.set(name, { value, untilMs: nowMs() + lifeMs });
    },
  };
}
