// The vectors of PiCL: keys, a chain, payloads and Hawk headers, as docs/picl.md has them.

import { readFileSync } from 'node:fs';

export interface VectorChange {
  readonly key: string;
  readonly payload: string | null;
  readonly seqnum: number;
  readonly changeid: string;
  readonly signature: string;
}

interface Vectors {
  readonly keys: {
    readonly [name in
      | 'root_hex'
      | 'collection'
      | 'k_sign_hex'
      | 'k_enc_hex'
      | 'k_sign_bookmarks_hex']: string;
  };
  readonly chain: readonly VectorChange[];
  readonly rebase: {
    readonly head: { readonly seqnum: number; readonly changeid: string };
    readonly first: readonly VectorChange[];
    readonly other_device: readonly VectorChange[];
    readonly after: readonly VectorChange[];
  };
  readonly encrypt: {
    readonly plaintext: string;
    readonly iv_hex: string;
    readonly key: string;
    readonly seqnum: number;
    readonly payload: string;
    readonly change: VectorChange;
  };
}

const file = new URL('../fixtures/picl/vectors.json', import.meta.url);

export const VECTORS: Vectors = JSON.parse(readFileSync(file, 'utf8'));
