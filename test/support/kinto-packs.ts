// Another client of a collection with packs on a Kinto, in the published form: with node:crypto and
// a CBOR library, and nothing of the agent in it. Its packs are full at so many records, whatever
// they have in them.

import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { Encoder } from 'cbor-x';
import type { Place } from '../../emulator/servers/kinto/place.ts';

const LIVE = 0;
const DELETED = 1;
const ALONE = 2;
const cbor = new Encoder({ tagUint8Array: false, useRecords: false, mapsAsObjects: true });

export interface OtherEntry {
  readonly hash: string;
  readonly writtenMs: number;
  readonly salt: number;
  readonly kind: number;
  readonly text: string;
}

interface OtherPack {
  isFull: boolean;
  entries: OtherEntry[];
}

/** The published form: docs/kinto-encryption.md. */
export function otherPacks(kB: string, collection: string) {
  const hkdf = (key: Uint8Array, info: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, '', info, bytes));
  const sync = hkdf(Buffer.from(kB, 'hex'), 'identity.mozilla.com/picl/v1/oldsync', 64);
  const root = hkdf(sync, 'kitsync/v1/kinto/root', 32);
  const key = hkdf(root, `kitsync/v1/kinto/packs/${collection}`, 32);
  let sealed = 0;
  const seal = (packId: string, bytes: Uint8Array): string => {
    const iv = createHash('sha256').update(`iv ${sealed++}`).digest().subarray(0, 12);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(packId));
    const ciphertext = [cipher.update(bytes), cipher.final()];
    return Buffer.concat([iv, ...ciphertext, cipher.getAuthTag()]).toString('base64');
  };
  return {
    seal,
    sealPack: (packId: string, { isFull, entries }: OtherPack): string => {
      const members = entries.flatMap(({ hash, writtenMs, salt, kind, text }) => [
        // An integer, where this library would write a float.
        ...[Buffer.from(hash, 'base64url'), BigInt(writtenMs), salt, kind, text],
      ]);
      return seal(packId, cbor.encode([1, isFull ? 1 : 0, ...members]));
    },
    openPack(packId: string, payload: string): OtherPack {
      const bytes = Buffer.from(payload, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
      decipher.setAAD(Buffer.from(packId)).setAuthTag(bytes.subarray(-16));
      const plain = [decipher.update(bytes.subarray(12, -16)), decipher.final()];
      const [, isFull, ...members] = cbor.decode(Buffer.concat(plain)) as unknown[];
      const entries: OtherEntry[] = [];
      for (let at = 0; at < members.length; at += 5) {
        const [hash, writtenMs, salt, kind, text] = members.slice(at, at + 5);
        entries.push({
          hash: Buffer.from(hash as Uint8Array).toString('base64url'),
          ...{ writtenMs: Number(writtenMs), salt: Number(salt) },
          ...{ kind: Number(kind), text: String(text) },
        });
      }
      return { isFull: isFull === 1, entries };
    },
  };
}

/** The pack of a record at a level: two bits of its hash for each. */
export function packIdAt(wireId: string, level: number): string {
  const hash = Buffer.from(wireId.slice(2), 'base64url');
  const digits = Array.from({ length: level }, (_, at) => {
    return ((hash[at >> 2] ?? 0) >> (6 - 2 * (at & 3))) & 3;
  });
  return `p-${digits.join('')}`;
}

interface InPacks {
  /** Null: there is no such record. */
  entry(wireId: string): OtherEntry | null;
  /** All entries that are live. */
  live(): OtherEntry[];
  /** Writes a record's text where it lies; null: its deletion. */
  put(wireId: string, text: string | null): void;
}

/** The records in the packs of a place; a pack of this client's is full with `fullAt` entries. */
export function recordsInPacks(
  records: () => Place,
  keys: ReturnType<typeof otherPacks>,
  nowMs: () => number,
  fullAt: number,
): InPacks {
  let salts = 0;
  const packAt = (id: string): OtherPack => {
    const payload = records().get(id)?.payload;
    return payload === undefined
      ? { isFull: false, entries: [] }
      : keys.openPack(id, String(payload));
  };
  const find = (wireId: string) => {
    for (let level = 0; ; level++) {
      const id = packIdAt(wireId, level);
      const pack = packAt(id);
      const at = pack.entries.findIndex(({ hash }) => hash === wireId.slice(2));
      if (at >= 0 || !pack.isFull) return { id, pack, at };
    }
  };
  const packs = () =>
    records()
      .live()
      .filter(({ id }) => id.startsWith('p-'));
  return {
    entry(wireId) {
      const { pack, at } = find(wireId);
      return pack.entries[at] ?? null;
    },
    live: () =>
      packs()
        .flatMap(({ id }) => packAt(id).entries)
        .filter(({ kind }) => kind === LIVE),
    put(wireId, text) {
      const { id, pack, at } = find(wireId);
      if (pack.entries[at]?.kind === ALONE) throw new Error('it lies alone');
      const entry = {
        ...{ hash: wireId.slice(2), writtenMs: nowMs(), salt: salts++ },
        ...{ kind: text === null ? DELETED : LIVE, text: text ?? '' },
      };
      if (at >= 0) pack.entries[at] = entry;
      else pack.entries.push(entry);
      pack.isFull ||= pack.entries.length >= fullAt;
      records().put(id, { payload: keys.sealPack(id, pack) });
    },
  };
}
