// How the changes of a log hang together: each has an id, which is made of its number, the id
// before it, its key and the hash of its payload, and a signature of that id by whoever has the
// user's key. `opaque` is for logs whose ids others make in a way of their own: numbers and heads
// are still compared, ids and signatures are not.
// Nothing here knows where a change comes from, or what is in a payload.

import type { TextCrypto } from '../../../crypto/texts.ts';

/** What an id is made of, beside the id before it. */
interface Link {
  readonly key: string;
  /** Null: the record is deleted. */
  readonly payload: string | Unread | null;
  readonly seqnum: number;
}

/** A payload of which the chain is all that is of use: its hash, in base64url. */
export interface Unread {
  readonly sha256: string;
}

/** A link as somebody with the key has signed it. */
export interface Signed extends Link {
  readonly changeid: string;
  readonly signature: string;
}

export interface Change extends Signed {
  readonly payload: string | null;
}

/** Errors of all: those of `TextCrypto`. */
export interface ChainScheme {
  /** The ids of changes behind `previous`, each behind the one before it. */
  mint(previous: string, links: readonly Link[]): Promise<string[]>;
  /** The index of the first change whose id is not what it must be; -1: all are. */
  verify(previous: string, changes: readonly Signed[]): Promise<number>;
  sign(changeids: readonly string[]): Promise<string[]>;
  /** The index of the first whose signature is not the user's; -1: all are. */
  verifySignatures(changes: readonly Pick<Signed, 'changeid' | 'signature'>[]): Promise<number>;
}

/** The id before the first change. */
export const GENESIS = 'A'.repeat(43);

export function chainV1(crypto: TextCrypto, signKey: Uint8Array): ChainScheme {
  const answered = async (...of: Parameters<TextCrypto>): Promise<string[]> =>
    (await crypto(...of)).map((one) => ('text' in one ? one.text : NOTHING));
  const hashes = (list: readonly string[]): Promise<string[]> =>
    answered('sha256', NO_KEY, list.map(alone));
  const sign = (changeids: readonly string[]): Promise<string[]> =>
    answered('hmac', signKey, changeids.map(alone));
  const tagsOf = async (links: readonly Link[]): Promise<string[]> => {
    const known = await hashes(
      links.flatMap(({ payload }) => (typeof payload === 'string' ? payload : [])),
    );
    return links.map(({ payload }) => {
      if (payload === null) return 'D';
      return `S:${typeof payload === 'string' ? known.shift() : payload.sha256}`;
    });
  };
  return {
    sign,
    async mint(previous, links) {
      const tags = await tagsOf(links);
      const ids: string[] = [];
      for (const [at, link] of links.entries()) {
        const [id = ''] = await hashes([preimage(ids[at - 1] ?? previous, link, tags[at] ?? '')]);
        ids.push(id);
      }
      return ids;
    },
    async verify(previous, changes) {
      const tags = await tagsOf(changes);
      // Each behind the id that the change before it claims, which is looked at, too.
      const made = await hashes(
        changes.map((change, at) =>
          preimage(changes[at - 1]?.changeid ?? previous, change, tags[at] ?? ''),
        ),
      );
      const isWrong = (at: number) => changes[at]?.changeid !== made[at] || tags[at] === NO_TAG;
      return changes.findIndex((_, at) => isWrong(at));
    },
    async verifySignatures(changes) {
      const pairs = changes.map(({ changeid, signature }) => [changeid, signature]);
      return (await crypto('hmacCheck', signKey, pairs)).findIndex((one) => 'code' in one);
    },
  };
}

/** Mints as `v1` does, on whatever was there before; believes everything. */
export function opaqueChain(v1: ChainScheme): ChainScheme {
  return { ...v1, verify: async () => -1, verifySignatures: async () => -1 };
}

/** No field has a line end in it, so no two changes have one preimage. */
function preimage(previous: string, { seqnum, key }: Link, payloadTag: string): string {
  return `picl-change-v1\n${seqnum}\n${previous}\n${key}\n${payloadTag}\n`;
}

/** Half a surrogate pair has no hash: whatever has it in its payload is no change. */
const NOTHING = '';
const NO_TAG = 'S:';
const NO_KEY = /* @__PURE__ */ new Uint8Array(0);
const alone = (text: string): readonly string[] => [text];
