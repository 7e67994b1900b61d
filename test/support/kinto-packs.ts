// Another client of a collection with packs on a Kinto, in the published form: with node:crypto and
// a CBOR library, and nothing of the agent in it. Its packs are full at so many records, whatever
// they have in them.

import { decodeMultiple, Encoder } from 'cbor-x';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import type { Place } from '../../emulator/servers/kinto/place.ts';

const LIVE = 0;
const DELETED = 1;
const ALONE = 2;
const cbor = new Encoder({ useRecords: false });

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
  const { seal, open } = otherClient(kB, collection);
  const sealItems = (items: readonly string[]): string =>
    seal(Buffer.concat(items.map((item) => Buffer.from(cbor.encode(item)))).toString('utf8'));
  return {
    sealItems,
    sealPack: (packId: string, { isFull, entries }: OtherPack): string =>
      sealItems([
        ...[packId.padEnd(16), `1 ${isFull ? 1 : 0}`],
        ...entries.flatMap(({ hash, writtenMs, salt, kind, text }) => {
          const chunks = text.match(/.{1,25}/gu) ?? [];
          return [hash, `${kind} ${writtenMs} ${salt} ${chunks.length}`, ...chunks];
        }),
      ]),
    openPack(packId: string, payload: string): OtherPack {
      const text = open(payload);
      if (text === null) throw new Error('it does not open');
      const [id, full, ...items] = (decodeMultiple(Buffer.from(text)) ?? []).map(String);
      if (id !== packId.padEnd(16)) throw new Error('another pack');
      const entries: OtherEntry[] = [];
      while (items.length > 0) {
        const [hash = '', numbers = ''] = items.splice(0, 2);
        const [kind = 0, writtenMs = 0, salt = 0, count = 0] = numbers.split(' ').map(Number);
        entries.push({ hash, writtenMs, salt, kind, text: items.splice(0, count).join('') });
      }
      return { isFull: full === '1 1', entries };
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

/** A collection as the server has it. */
export type Records = Pick<Place, 'get' | 'live' | 'put'>;

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
  records: () => Records,
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
