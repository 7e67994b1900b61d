// How the changes of a log hang together: each has an id, which is made of its number, the id
// before it, its key and the hash of its payload, and a signature of that id by whoever has the
// user's key. `opaque` is for logs whose ids others make in a way of their own: numbers and heads
// are still compared, ids and signatures are not.
// Nothing here knows where a change comes from, or what is in a payload.

import type { BulkCrypto } from '../../../crypto/bulk.ts';
import { encodeBase64 } from '../../../crypto/bytes.ts';
import { SLICE_CHARS_MAX } from '../../limits.ts';
import { asciiBytes, type Codes } from './codes.ts';

/** What an id is made of, beside the id before it. */
export interface Link {
  readonly key: string;
  /** Null: the record is deleted. */
  readonly payload: string | null;
  readonly seqnum: number;
}

export interface Change extends Link {
  readonly changeid: string;
  readonly signature: string;
}

/** Errors of all: those of `BulkCrypto`. */
export interface ChainScheme {
  /** The ids of changes behind `previous`, each behind the one before it. */
  mint(previous: string, links: readonly Link[]): Promise<string[]>;
  /** The index of the first change whose id is not what it must be; -1: all are. */
  verify(previous: string, changes: readonly Change[]): Promise<number>;
  sign(changeids: readonly string[]): Promise<string[]>;
  /** The index of the first whose signature is not the user's; -1: all are. */
  verifySignatures(changes: readonly Pick<Change, 'changeid' | 'signature'>[]): Promise<number>;
}

/** The id before the first change. */
export const GENESIS = 'A'.repeat(43);

interface Means {
  /** Of payloads that are opened afterwards. */
  readonly codes?: Pick<Codes, 'of'>;
  /** Lets the device do other work. */
  pause?(): Promise<void>;
}

export function chainV1(
  bulk: BulkCrypto,
  signKey: Uint8Array,
  { codes, pause }: Means = {},
): ChainScheme {
  const hashed = async (bytes: readonly Uint8Array[]): Promise<string[]> =>
    (await bulk.sha256(bytes)).map(urlText);
  const hashes = (texts: readonly string[]): Promise<string[]> => hashed(texts.map(asciiBytes));
  const sign = async (changeids: readonly string[]): Promise<string[]> =>
    (await bulk.hmac(signKey, changeids.map(asciiBytes))).map(urlText);
  const tagsOf = async (links: readonly Link[]): Promise<string[]> => {
    const payloads: Uint8Array[] = [];
    let chars = 0;
    for (const { payload } of links) {
      if (payload === null) continue;
      payloads.push(codes?.of(payload) ?? asciiBytes(payload));
      chars += payload.length;
      if (chars <= SLICE_CHARS_MAX) continue;
      await pause?.();
      chars = 0;
    }
    const known = await hashed(payloads);
    return links.map(({ payload }) => (payload === null ? 'D' : `S:${known.shift()}`));
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
      return changes.findIndex(({ changeid }, at) => changeid !== made[at]);
    },
    async verifySignatures(changes) {
      const made = await sign(changes.map(({ changeid }) => changeid));
      return changes.findIndex(({ signature }, at) => !isSame(signature, made[at] ?? ''));
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

function urlText(bytes: Uint8Array): string {
  return encodeBase64(bytes, 'url');
}

/** Compares all of it, wherever the first difference is. */
function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
