// The data of test/fixtures/picl/, with types.

import { readFileSync } from 'node:fs';

export interface PiclBody {
  readonly shown?: string;
  readonly parses?: boolean;
  readonly mended?: string;
}

interface PiclWrite {
  readonly seqnum: number;
  readonly key: string;
  readonly payload: string | null;
  readonly changeid: string;
  readonly signature: string;
}

interface PiclExample {
  readonly name: string;
  readonly world: string | null;
  readonly settings: { recordsKey?: 'items'; firstSeqnum?: 0; limit?: number };
  readonly mends: readonly string[];
  readonly request: PiclBody & {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signed: boolean;
  };
  readonly response: PiclBody & {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
  };
}

/** The exchanges of the proposal, and what was written before them. */
export const PICL_EXAMPLES = data('examples') as {
  readonly worlds: Readonly<Record<string, readonly PiclWrite[]>>;
  readonly examples: readonly PiclExample[];
};

export interface PiclVector extends PiclWrite {
  readonly prev: string;
  readonly preimage: string;
}

/** Keys, chain, payload and Hawk. */
export const PICL_VECTORS = data('vectors') as {
  readonly keys: Readonly<
    Record<'root_hex' | 'collection' | 'k_sign_hex' | 'k_enc_hex' | 'k_sign_bookmarks_hex', string>
  >;
  readonly genesis: { readonly seqnum: number; readonly changeid: string; readonly etag: string };
  readonly chain: readonly PiclVector[];
  readonly rebase: Readonly<Record<'first' | 'other_device' | 'after', readonly PiclVector[]>>;
  readonly encrypt: {
    readonly plaintext: string;
    readonly iv_hex: string;
    readonly key: string;
    readonly seqnum: number;
    readonly payload: string;
    readonly change: PiclVector;
  };
  readonly hawk: {
    readonly creds: { readonly id: string; readonly key: string };
    readonly ts: number;
    readonly nonce: string;
    readonly requests: readonly { readonly url: string; readonly header: string }[];
    readonly stale: { readonly server_ts: number; readonly www_authenticate: string };
  };
  readonly attacks: readonly { readonly name: string; readonly verdict: string }[];
};

/** What a reader takes, with what it means, and what it refuses. */
export const PICL_LIBERAL = data('liberal') as {
  readonly read: readonly {
    readonly name: string;
    readonly of: 'records' | 'changes';
    readonly text: string;
    readonly means: readonly PiclWrite[];
    readonly next: string | number | null;
  }[];
  readonly refused: readonly {
    readonly name: string;
    readonly of: 'metadata' | 'record' | 'records' | 'changes';
    readonly text: string;
  }[];
};

function data(name: string): unknown {
  const file = new URL(`../fixtures/picl/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}
