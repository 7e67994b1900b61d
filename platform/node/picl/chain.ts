// The chain of a PiCL collection and the keys that it is signed and sealed with, as docs/picl.md
// has them: a second implementation, of node:crypto and that page alone. It shares no line with the
// agent, so what both accept does not rest on one reading of the rules.

import { createHash, createHmac, hkdfSync } from 'node:crypto';

/** The id before the first change: 32 bytes of zero. */
export const GENESIS = 'A'.repeat(43);

/** A change as it is on the wire. */
export interface Change {
  readonly key: string;
  /** null: the key is deleted. */
  readonly payload: string | null;
  readonly seqnum: number;
  readonly changeid: string;
  readonly signature: string;
}

/** The keys of one collection, 32 bytes each. */
export interface CollectionKeys {
  readonly sign: Buffer;
  readonly encrypt: Buffer;
}

/** `root`: 32 bytes, which the user's devices share and no server has. */
export function keysOf(root: Buffer, collection: string): CollectionKeys {
  const derive = (use: string) =>
    Buffer.from(hkdfSync('sha256', root, '', `picl/queuesync/v1/${use}/${collection}`, 32));
  return { sign: derive('sign'), encrypt: derive('encrypt') };
}

/** What the id of a change is the hash of. `previous`: the id before it, or GENESIS. */
export function preimageOf(
  change: Omit<Change, 'changeid' | 'signature'>,
  previous: string,
): string {
  const { seqnum, key, payload } = change;
  return `picl-change-v1\n${seqnum}\n${previous}\n${key}\n${payloadTag(payload)}\n`;
}

/** A payload as a change's id has it: its hash, or that there is none. */
export function payloadTag(payload: string | null): string {
  return payload === null ? 'D' : `S:${sha256(payload)}`;
}

export function changeidOf(
  change: Omit<Change, 'changeid' | 'signature'>,
  previous: string,
): string {
  return sha256(preimageOf(change, previous));
}

/** Of the id's text. */
export function signatureOf(changeid: string, key: Buffer): string {
  return createHmac('sha256', key).update(changeid).digest('base64url');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
