// What the servers remember: users, their collections, the records (BSOs) in them.
// Times are integers of milliseconds on a 10 ms grid, as Sync 1.5 prints them with two decimals;
// the stamps of one user strictly rise, whatever the clock does. A record past its time to live
// is gone from every answer. It knows no HTTP, and never reads a clock: the time is handed in.

/** A basic storage object. `expiresMs` is null for one that lives for ever. */
export interface Bso {
  readonly id: string;
  readonly modifiedMs: number;
  readonly payload: string;
  readonly sortindex: number | null;
  readonly expiresMs: number | null;
}

/** What a write says of a record: an absent member keeps its value, null resets it. */
export interface BsoChange {
  readonly id: string;
  readonly payload?: string | null;
  readonly sortindex?: number | null;
  /** Seconds, counted from the write. */
  readonly ttl?: number | null;
}

/**
 * Records that are made when they are looked at. Their stamps never fall from one index to the
 * next, and they never expire.
 */
export interface LazyRecords {
  readonly count: number;
  at(index: number): Bso;
  /** The index of a record, or -1. */
  indexOf(id: string): number;
}

/** A list whose members are looked up one by one. */
export interface Sequence<T> {
  readonly length: number;
  at(index: number): T;
}

const STAMP_STEP_MS = 10;

/** The next stamp: the time of now, or one step after the last stamp if that is later. */
export function nextStampMs(lastMs: number, nowMs: number): number {
  return Math.max(toStampMs(nowMs), lastMs + STAMP_STEP_MS);
}

/** The grid line at or before a time. */
export function toStampMs(timeMs: number): number {
  return Math.floor(timeMs / STAMP_STEP_MS) * STAMP_STEP_MS;
}

/** One collection: the records it holds, over an optional base of lazy ones. */
export class Collection {
  modifiedMs = 0;
  readonly #own = new Map<string, Bso>();
  readonly #base: LazyRecords | null;
  /** Indexes of base records that were replaced or removed, rising. */
  #hidden: number[] = [];
  /** Own records by stamp; null after a write. */
  #ordered: Bso[] | null = null;
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(base: LazyRecords | null = null) {
    this.#base = base;
  }

  get(id: string, nowMs: number): Bso | undefined {
    this.#expire(nowMs);
    const own = this.#own.get(id);
    if (own) return own;
    const index = this.#visibleBaseIndex(id);
    return index < 0 ? undefined : this.#base?.at(index);
  }

  /** Whether the record is one of the lazy base, not written since. */
  isLazy(id: string): boolean {
    return !this.#own.has(id) && this.#visibleBaseIndex(id) >= 0;
  }

  set(bso: Bso): void {
    this.#hideBase(bso.id);
    this.#own.set(bso.id, bso);
    this.#ordered = null;
    if (bso.expiresMs !== null) this.#nextExpiryMs = Math.min(this.#nextExpiryMs, bso.expiresMs);
  }

  delete(id: string): void {
    this.#hideBase(id);
    if (this.#own.delete(id)) this.#ordered = null;
  }

  /** All records by rising stamp. Reading a page of it costs the page, not the collection. */
  oldestFirst(nowMs: number): Sequence<Bso> {
    this.#expire(nowMs);
    const base = this.#base;
    const own = this.#inOrder();
    const lazyCount = (base?.count ?? 0) - this.#hidden.length;
    return {
      length: lazyCount + own.length,
      at: (index) => {
        const bso =
          base && index < lazyCount ? base.at(this.#nthVisible(index)) : own[index - lazyCount];
        if (!bso) throw new RangeError(`no record ${index} of ${lazyCount + own.length}`);
        return bso;
      },
    };
  }

  /** Own records in the order they came, after the lazy ones: what a dump writes. */
  *inArrivalOrder(nowMs: number): Generator<Bso> {
    this.#expire(nowMs);
    const lazyCount = (this.#base?.count ?? 0) - this.#hidden.length;
    for (let index = 0; index < lazyCount; index++) {
      const bso = this.#base?.at(this.#nthVisible(index));
      if (bso) yield bso;
    }
    yield* this.#own.values();
  }

  count(nowMs: number): number {
    return this.oldestFirst(nowMs).length;
  }

  /** UTF-8 bytes of all payloads. Makes every lazy record, so it is slow on a large collection. */
  payloadBytes(nowMs: number): number {
    let bytes = 0;
    for (const bso of this.inArrivalOrder(nowMs)) bytes += Buffer.byteLength(bso.payload);
    return bytes;
  }

  #inOrder(): Bso[] {
    this.#ordered ??= [...this.#own.values()].sort(
      (a, b) => a.modifiedMs - b.modifiedMs || (a.id < b.id ? -1 : 1),
    );
    return this.#ordered;
  }

  #expire(nowMs: number): void {
    if (nowMs < this.#nextExpiryMs) return;
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const { id, expiresMs } of this.#own.values()) {
      if (expiresMs === null) continue;
      if (expiresMs <= nowMs) this.#own.delete(id);
      else this.#nextExpiryMs = Math.min(this.#nextExpiryMs, expiresMs);
    }
    this.#ordered = null;
  }

  #visibleBaseIndex(id: string): number {
    const index = this.#base?.indexOf(id) ?? -1;
    return this.#hidden.includes(index) ? -1 : index;
  }

  #hideBase(id: string): void {
    const index = this.#visibleBaseIndex(id);
    if (index < 0) return;
    this.#hidden.push(index);
    this.#hidden.sort((a, b) => a - b);
  }

  #nthVisible(position: number): number {
    let index = position;
    for (const hidden of this.#hidden) {
      if (hidden > index) break;
      index++;
    }
    return index;
  }
}

/** One user of the storage. */
export class User {
  readonly uid: number;
  /** base64url of the client state (16 bytes) that this user's data is sealed under, if known. */
  keyFingerprint: string | null;
  modifiedMs = 0;
  readonly collections = new Map<string, Collection>();
  /** Told which records of a collection were written or removed; null: it may be all of them. */
  onChange: ((collection: string, ids: readonly string[] | null) => void) | null = null;

  constructor(uid: number, keyFingerprint: string | null) {
    this.uid = uid;
    this.keyFingerprint = keyFingerprint;
  }

  /** Takes the next stamp. */
  stamp(nowMs: number): number {
    this.modifiedMs = nextStampMs(this.modifiedMs, nowMs);
    return this.modifiedMs;
  }

  /** Writes all changes under one new stamp, which is returned. */
  write(name: string, changes: Iterable<BsoChange>, nowMs: number): number {
    const stampMs = this.stamp(nowMs);
    const collection = this.collections.get(name) ?? new Collection();
    this.collections.set(name, collection);
    const ids: string[] = [];
    for (const change of changes) {
      applyChange(collection, change, stampMs, nowMs);
      ids.push(change.id);
    }
    collection.modifiedMs = stampMs;
    this.onChange?.(name, ids);
    return stampMs;
  }

  /** Removes records and returns the new stamp; the collection stays, even when it is empty. */
  deleteRecords(name: string, ids: readonly string[], nowMs: number): number {
    const stampMs = this.stamp(nowMs);
    const collection = this.collections.get(name);
    if (!collection) return stampMs;
    for (const id of ids) collection.delete(id);
    collection.modifiedMs = stampMs;
    this.onChange?.(name, ids);
    return stampMs;
  }

  /** Removes a whole collection and returns the new stamp, or the old one if there was none. */
  deleteCollection(name: string, nowMs: number): number {
    if (!this.collections.delete(name)) return this.modifiedMs;
    this.onChange?.(name, null);
    return this.stamp(nowMs);
  }

  /** Removes everything and returns the new stamp. */
  deleteAll(nowMs: number): number {
    const names = [...this.collections.keys()];
    this.collections.clear();
    for (const name of names) this.onChange?.(name, null);
    return this.stamp(nowMs);
  }

  payloadBytes(nowMs: number): number {
    let bytes = 0;
    for (const collection of this.collections.values()) bytes += collection.payloadBytes(nowMs);
    return bytes;
  }
}

/** All users, by their number. */
export class Store {
  readonly users = new Map<number, User>();

  addUser(keyFingerprint: string | null, uid = Math.max(0, ...this.users.keys()) + 1): User {
    const user = new User(uid, keyFingerprint);
    this.users.set(uid, user);
    return user;
  }
}

function applyChange(
  collection: Collection,
  change: BsoChange,
  stampMs: number,
  nowMs: number,
): void {
  if (isOnlyTtl(change) && collection.isLazy(change.id)) return;
  collection.set(changedBso(collection.get(change.id, nowMs), change, stampMs));
}

/** What becomes of a record, where there is one, by a change under a new stamp. */
export function changedBso(old: Bso | undefined, change: BsoChange, stampMs: number): Bso {
  return {
    id: change.id,
    // A new time to live is no news for other clients: it does not touch the record's stamp.
    modifiedMs: old && isOnlyTtl(change) ? old.modifiedMs : stampMs,
    payload: change.payload === undefined ? (old?.payload ?? '') : (change.payload ?? ''),
    sortindex: change.sortindex === undefined ? (old?.sortindex ?? null) : change.sortindex,
    expiresMs: change.ttl === undefined ? (old?.expiresMs ?? null) : expiry(change.ttl, stampMs),
  };
}

function isOnlyTtl({ payload, sortindex }: BsoChange): boolean {
  return payload === undefined && sortindex === undefined;
}

function expiry(ttlSeconds: number | null, fromMs: number): number | null {
  return ttlSeconds === null ? null : fromMs + ttlSeconds * 1000;
}
