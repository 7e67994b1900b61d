// One user whose records are kept, read in a transaction, and in one that changes it: what each
// request of a storage node sees and does. Every record is in its orders, and counted with its
// collection, in the same transaction that writes it.

import { BATCH_LIFE_MS } from '../batch.ts';
import {
  type BatchState,
  type Listing,
  NO_END,
  type Stretch,
  type UserReader,
  type UserWriter,
} from '../bso-storage.ts';
import { parseObject } from '../http.ts';
import { type Bso, type BsoChange, changedBso, nextStampMs } from '../store.ts';
import {
  batchKey,
  batchPartKey,
  type CollectionRow,
  collectionKey,
  damaged,
  garbageKey,
  isBatchId,
  macKey,
  orderEntries,
  type Placed,
  placed,
  readBso,
  readCollectionRow,
  recordKey,
  type UserRow,
  under,
  userKey,
} from './bso-keys.ts';
import { listIds, listRecords, type Reading } from './kept-listing.ts';
import type { Reader, Transaction } from './server-storage.ts';

/** Records whose values are in memory at a time. */
const RECORDS_MAX = 100;
/** Collections of a user: none has so many. */
const COLLECTIONS_MAX = 100_000;
const BATCH_PARTS_MAX = 100_000;
/** Of `b/UID/NAME/BATCH`. */
const BATCH_SEGMENTS = 4;
const EMPTY = { count: 0, items: [], hasMore: false, end: NO_END };

export class KeptReader implements UserReader {
  readonly #uid: number;
  readonly #reader: Reader;
  readonly #row: UserRow;
  readonly #again: Reading;

  /** `again`: reads later, when the answer is on its way. */
  constructor(uid: number, reader: Reader, row: UserRow, again: Reading) {
    this.#uid = uid;
    this.#reader = reader;
    this.#row = row;
    this.#again = again;
  }

  get modifiedMs(): number {
    return this.#row.modifiedMs;
  }

  async stampOf(name: string): Promise<number | null> {
    return (await this.collection(name))?.modifiedMs ?? null;
  }

  async stamps(): Promise<ReadonlyMap<string, number>> {
    return this.#ofEach(({ modifiedMs }) => modifiedMs);
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    return this.#ofEach(({ records }) => records);
  }

  async usage(): Promise<ReadonlyMap<string, number>> {
    return this.#ofEach(({ bytes }) => bytes);
  }

  async get(name: string, ids: readonly string[]): Promise<Bso[]> {
    const row = await this.collection(name);
    if (row === null || ids.length === 0) return [];
    const keys = ids.map((id) => recordKey(row.place, id));
    const values = await this.#reader.get(keys);
    return values.flatMap((text, index) => (text === null ? [] : readBso(keys[index] ?? '', text)));
  }

  async list(name: string, stretch: Stretch): Promise<Listing<Bso>> {
    const row = await this.collection(name);
    if (row === null) return EMPTY;
    return listRecords(this.#reader, this.#again, row.place, untilNow(stretch, row));
  }

  async listIds(name: string, stretch: Stretch): Promise<Listing<string>> {
    const row = await this.collection(name);
    if (row === null) return EMPTY;
    return listIds(this.#reader, this.#again, row.place, untilNow(stretch, row));
  }

  async collection(name: string): Promise<CollectionRow | null> {
    const key = collectionKey(this.#uid, name);
    const [text = null] = await this.#reader.get([key]);
    return text === null ? null : readCollectionRow(key, text);
  }

  async collections(): Promise<ReadonlyMap<string, CollectionRow>> {
    const prefix = `c/${this.#uid}/`;
    const entries = await this.#reader.scan(under(prefix, COLLECTIONS_MAX));
    return new Map(
      entries.map(([key, text]) => [key.slice(prefix.length), readCollectionRow(key, text)]),
    );
  }

  async #ofEach(of: (row: CollectionRow) => number): Promise<ReadonlyMap<string, number>> {
    return new Map(Array.from(await this.collections(), ([name, row]) => [name, of(row)]));
  }
}

/** What is written while a list is sent is not in it. */
function untilNow(stretch: Stretch, { modifiedMs }: CollectionRow): Stretch {
  return { ...stretch, olderMs: Math.min(stretch.olderMs, modifiedMs + 1) };
}

/** More than are remembered at a time, so that what has expired does not pile up. */
const MACS_FORGOTTEN_MAX = 4;

export class KeptWriter extends KeptReader implements UserWriter {
  readonly #uid: number;
  readonly #tx: Transaction;
  readonly #nowMs: number;
  #row: UserRow;
  #hasLeft = false;

  constructor(uid: number, tx: Transaction, row: UserRow, again: Reading, nowMs: number) {
    super(uid, tx, row, again);
    this.#uid = uid;
    this.#tx = tx;
    this.#nowMs = nowMs;
    this.#row = row;
  }

  /** Whether a collection was deleted, whose records are still there. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  override get modifiedMs(): number {
    return this.#row.modifiedMs;
  }

  async isFirst(mac: string, untilMs: number): Promise<boolean> {
    const key = macKey(this.#uid, untilMs, mac);
    const [known] = await this.#tx.get([key]);
    const from = macKey(this.#uid, 0, '');
    const to = macKey(this.#uid, this.#nowMs, '');
    for (const gone of await this.#tx.keys({ from, to, limit: MACS_FORGOTTEN_MAX }))
      this.#tx.remove(gone);
    this.#tx.put(key, '');
    return known === null;
  }

  async write(name: string, changes: readonly BsoChange[]): Promise<number> {
    const stampMs = this.#stamp();
    let row = (await this.collection(name)) ?? this.#newPlace();
    for (let at = 0; at < changes.length; at += RECORDS_MAX)
      row = await this.#writeSome(name, row, changes.slice(at, at + RECORDS_MAX), stampMs);
    this.save(name, { ...row, modifiedMs: stampMs });
    return stampMs;
  }

  /** Adds records as they are to a collection that is not there yet. */
  load(name: string, modifiedMs: number, bsos: Iterable<Bso>): void {
    let row: CollectionRow = { ...this.#newPlace(), modifiedMs };
    for (const bso of bsos) row = this.add(name, row, bso);
    this.save(name, row);
  }

  async deleteRecords(name: string, ids: readonly string[]): Promise<number> {
    const stampMs = this.#stamp();
    let row = await this.collection(name);
    if (row === null) return stampMs;
    for (const bso of await this.get(name, [...new Set(ids)]))
      row = this.remove(name, row, placed(bso));
    this.save(name, { ...row, modifiedMs: stampMs });
    return stampMs;
  }

  async deleteCollection(name: string): Promise<number> {
    await this.#dropBatches(`b/${this.#uid}/${name}/`);
    const row = await this.collection(name);
    if (row === null) return this.modifiedMs;
    this.#leave(name, row);
    return this.#stamp();
  }

  async deleteAll(): Promise<number> {
    await this.#dropBatches(`b/${this.#uid}/`);
    for (const [name, row] of await this.collections()) this.#leave(name, row);
    return this.#stamp();
  }

  async batch(name: string, id: string): Promise<BatchState | null> {
    if (!isBatchId(id)) return null;
    const key = batchKey(this.#uid, name, id);
    const [text = null] = await this.#tx.get([key]);
    if (text === null) return null;
    const { openedMs, records, bytes } = parseObject(text) ?? {};
    if (![openedMs, records, bytes].every((value) => typeof value === 'number')) throw damaged(key);
    return { openedMs, records, bytes } as BatchState;
  }

  async extendBatch(
    name: string,
    id: string,
    changes: readonly BsoChange[],
    state: BatchState,
  ): Promise<void> {
    const key = batchKey(this.#uid, name, id);
    if (state.openedMs === this.#nowMs) await this.#dropOldBatches();
    this.#tx.put(key, JSON.stringify(state));
    const [last] = await this.#tx.keys({ ...under(`${key}/`, 1), reverse: true });
    const number = last === undefined ? 0 : Number(last.slice(key.length + 1)) + 1;
    this.#tx.put(batchPartKey(key, number), JSON.stringify(changes));
  }

  async closeBatch(name: string, id: string): Promise<BsoChange[]> {
    const key = batchKey(this.#uid, name, id);
    const parts = await this.#tx.scan(under(`${key}/`, BATCH_PARTS_MAX));
    for (const [part] of parts) this.#tx.remove(part);
    this.#tx.remove(key);
    return parts.flatMap(([, text]) => JSON.parse(text) as BsoChange[]);
  }

  /** Takes a record out of its orders and its collection, whose new row is returned. */
  remove(name: string, row: CollectionRow, record: Placed): CollectionRow {
    this.#tx.remove(recordKey(row.place, record.id));
    for (const [key] of orderEntries(this.#uid, name, row.place, record)) this.#tx.remove(key);
    return { ...row, records: row.records - 1, bytes: row.bytes - record.bytes };
  }

  /** Puts a record as it is. */
  add(name: string, row: CollectionRow, bso: Bso): CollectionRow {
    this.#tx.put(recordKey(row.place, bso.id), JSON.stringify(bso));
    const record = placed(bso);
    for (const [key, value] of orderEntries(this.#uid, name, row.place, record))
      this.#tx.put(key, value);
    const { nextExpiryMs } = this.#row;
    const { expiresMs } = bso;
    if (expiresMs !== null && !(nextExpiryMs !== null && nextExpiryMs <= expiresMs))
      this.#row = { ...this.#row, nextExpiryMs: expiresMs };
    return { ...row, records: row.records + 1, bytes: row.bytes + record.bytes };
  }

  /** Puts the row of a collection, and of the user. */
  save(name: string, row: CollectionRow): void {
    this.#tx.put(collectionKey(this.#uid, name), JSON.stringify(row));
    this.#tx.put(userKey(this.#uid), JSON.stringify(this.#row));
  }

  async #writeSome(
    name: string,
    before: CollectionRow,
    changes: readonly BsoChange[],
    stampMs: number,
  ): Promise<CollectionRow> {
    const keys = [...new Set(changes.map(({ id }) => recordKey(before.place, id)))];
    const texts = await this.#tx.get(keys);
    const bsos = new Map<string, Bso>();
    for (const [index, key] of keys.entries()) {
      const text = texts[index] ?? null;
      if (text === null) continue;
      const bso = readBso(key, text);
      bsos.set(bso.id, bso);
    }
    let row = before;
    for (const change of changes) {
      const old = bsos.get(change.id);
      // One that this write itself has let expire is gone for what follows.
      const isGone = (old?.expiresMs ?? Number.POSITIVE_INFINITY) <= this.#nowMs;
      const bso = changedBso(isGone ? undefined : old, change, stampMs);
      if (old !== undefined) row = this.remove(name, row, placed(old));
      row = this.add(name, row, bso);
      bsos.set(bso.id, bso);
    }
    return row;
  }

  #stamp(): number {
    const modifiedMs = nextStampMs(this.modifiedMs, this.#nowMs);
    this.#row = { ...this.#row, modifiedMs };
    this.#tx.put(userKey(this.#uid), JSON.stringify(this.#row));
    return modifiedMs;
  }

  #newPlace(): CollectionRow {
    const places = this.#row.places + 1;
    this.#row = { ...this.#row, places };
    return { place: `${this.#uid}.${places}`, modifiedMs: 0, records: 0, bytes: 0 };
  }

  #leave(name: string, { place }: CollectionRow): void {
    this.#tx.remove(collectionKey(this.#uid, name));
    this.#tx.put(garbageKey(place), '');
    this.#hasLeft = true;
  }

  async #dropOldBatches(): Promise<void> {
    const keys = await this.#tx.keys(under(`b/${this.#uid}/`, BATCH_PARTS_MAX));
    const heads = keys.filter((key) => key.split('/').length === BATCH_SEGMENTS);
    for (const key of heads) {
      const [, , name = '', id = ''] = key.split('/');
      const state = await this.batch(name, id);
      if (state !== null && this.#nowMs - state.openedMs <= BATCH_LIFE_MS) continue;
      for (const one of keys) if (one === key || one.startsWith(`${key}/`)) this.#tx.remove(one);
    }
  }

  async #dropBatches(prefix: string): Promise<void> {
    for (const key of await this.#tx.keys(under(prefix, BATCH_PARTS_MAX))) this.#tx.remove(key);
  }
}
