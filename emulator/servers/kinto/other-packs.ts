// The packs of a collection on a Kinto, in which small records lie together, as another client of
// the user opens them: docs/kinto-encryption.md. With node:crypto, and nothing of the agent in it.

import { createDecipheriv, hkdfSync } from 'node:crypto';

/** A record in a pack. */
interface PackedRecord {
  readonly wireId: string;
  readonly writtenMs: number;
  /** The record's JSON; null: it was deleted. */
  readonly text: string | null;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const MEMBERS = 5;
/** Kinds of a member of a pack; one that lies alone is not in it. */
const [LIVE, DELETED] = [0, 1];

export function isPackId(id: string): boolean {
  return id.startsWith('p-');
}

/** Opens the packs of a collection. Null: it does not prove itself. */
export function otherPacks(
  kB: string,
  collection: string,
): (packId: string, payload: string) => PackedRecord[] | null {
  const hkdf = (key: Uint8Array, info: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, '', info, bytes));
  const sync = hkdf(Buffer.from(kB, 'hex'), 'identity.mozilla.com/picl/v1/oldsync', 64);
  const root = hkdf(sync, 'kitsync/v1/kinto/root', 32);
  const key = hkdf(root, `kitsync/v1/kinto/packs/${collection}`, 32);
  return (packId, payload) => {
    try {
      const bytes = Buffer.from(payload, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES));
      decipher.setAAD(Buffer.from(packId)).setAuthTag(bytes.subarray(-TAG_BYTES));
      const plain = [decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()];
      return recordsIn(readCbor(Buffer.concat(plain)));
    } catch {
      return null;
    }
  };
}

/** A form, whether it is full, and then each record's hash, time, salt, kind and text. */
function recordsIn([, , ...members]: unknown[]): PackedRecord[] {
  const records: PackedRecord[] = [];
  for (let at = 0; at < members.length; at += MEMBERS) {
    const [hash, writtenMs, , kind, text] = members.slice(at, at + MEMBERS);
    if (kind !== LIVE && kind !== DELETED) continue;
    records.push({
      wireId: `h-${Buffer.from(hash as Uint8Array).toString('base64url')}`,
      writtenMs: Number(writtenMs),
      text: kind === LIVE ? String(text) : null,
    });
  }
  return records;
}

const [UNSIGNED, BYTES, TEXT, LIST] = [0, 2, 3, 4];

/** One list of whole numbers, bytes and texts (RFC 8949). Throws for anything else. */
function readCbor(bytes: Buffer): unknown[] {
  let at = 0;
  const head = (): [kind: number, argument: number] => {
    const first = bytes.readUInt8(at++);
    const short = first & 31;
    if (short < 24) return [first >> 5, short];
    const width = 2 ** (short - 24);
    const argument = width === 8 ? Number(bytes.readBigUInt64BE(at)) : bytes.readUIntBE(at, width);
    at += width;
    return [first >> 5, argument];
  };
  const value = (): unknown => {
    const [kind, argument] = head();
    if (kind === UNSIGNED) return argument;
    if (kind !== BYTES && kind !== TEXT) throw new Error('not a value of a pack');
    const piece = bytes.subarray(at, at + argument);
    at += argument;
    return kind === TEXT ? piece.toString('utf8') : piece;
  };
  const [kind, length] = head();
  if (kind !== LIST) throw new Error('not a list');
  return Array.from({ length }, value);
}
