// One collection on the storage port: records, outbox, quarantine, index, cursor and counters.
// Every change of a record goes through `Transaction.set`, which keeps the index and the counters
// in step, and every transaction is one atomic commit that carries the cursor. Keeps no record in
// memory.

import type { Change, Storage, Value } from '../../platform/ports.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { escapeId } from '../collections/record-id.ts';
import { ported, SyncError } from '../errors.ts';
import {
  COMMIT_CHARS,
  type HeapLimits,
  QUARANTINE_MAX,
  RECORD_CHARS,
  SMALL_HEAP,
} from '../limits.ts';
import { type CollectionState, inForm, stateOf } from './collection-state.ts';
import {
  type CollectionKeys,
  collectionKeys,
  idOfIndexKey,
  rangeEnd,
  unescapeId,
} from './layout.ts';
import { createLock, type Lock } from './lock.ts';
import { createPacer } from './pacer.ts';
import {
  type Entry,
  knownMs,
  NO_ENTRY,
  type Packed,
  packLocal,
  packMirror,
  UNKNOWN_FORM,
  unpackLocal,
  unpackMirror,
  visible,
} from './record.ts';
import { hasSets, type Sets } from './sets.ts';
import { damaged, jsonStored } from './stored.ts';
import { unpacked } from './unpacked.ts';
import type { Vault } from './vault.ts';

export interface CollectionStore {
  readonly collection: Collection;
  readonly keys: CollectionKeys;
  /** Guards load, decide, commit; the local API takes it too. */
  readonly lock: Lock;
  readonly state: CollectionState;
  /** What lies under the keys: for who mends or replaces it. */
  readonly storage: Storage & Partial<Sets>;
  /** How much of the collection may be in memory at a time. */
  readonly heap: HeapLimits;
  /** Gives the device its turns, so that whoever works on many records need not. */
  /** Errors: `damaged` names the first value that is not what was written. */
  /** Nothing is said of a record whose stored texts have more than `charsMax` characters. */
  load(ids: readonly string[], charsMax?: number): Promise<Entry[]>;
  begin(): Transaction;
  /** Outbox ids in key order, after `after` (exclusive). */
  pendingIds(after: string | null, limit: number): Promise<string[]>;
  /** Those that are deletions. */
  deletionIds(after: string | null, limit: number): Promise<string[]>;
  /**
   * Ids of index entries whose suffix starts with `prefix`, the place behind each, and that to go
   * on from.
   */
  indexed(query: IndexQuery): Promise<{ ids: string[]; places: string[]; next: string | null }>;
  mirrorIds(after: string | null, limit: number): Promise<{ ids: string[]; next: string | null }>;
  /**
   * Why nothing is committed any more: `close` was called, or a commit ended without a word of the
   * storage, and what is in memory may be behind what is stored. Null: it is.
   */
  readonly closed: SyncError | null;
  /** Nothing is committed from now on: whoever tries gets `why`. */
  close(why: SyncError): void;
}

interface IndexQuery {
  readonly prefix: string;
  readonly limit: number;
  /** `next` of the call before. */
  readonly after?: string | null;
  readonly reverse?: boolean;
}

export interface Transaction {
  /** Replaces a record's entry; `before` is what `load` gave under the same lock. */
  set(id: string, before: Entry, after: Entry): void;
  /** Sets the server's version of a record aside; what the device holds of it stays. */
  quarantine(id: string, before: Entry, code: string, modifiedMs: number): void;
  update(patch: Partial<CollectionState>): void;
  /** All counters count from nothing. */
  recount(): void;
  /** The number of a new local change. */
  nextSeq(): number;
  readonly size: number;
  /** So much has gathered that a small heap wants it committed. */
  readonly isFull: boolean;
  commit(): Promise<void>;
}

/**
 * Opens a collection: reads its one state value, nothing else. A long record takes turns (`pause`).
 * Errors: `storageFailed`, `damaged`; `clientTooOld` for one that a build has replaced at once, and
 * this one cannot.
 */
export async function openCollectionStore(
  device: Storage,
  vault: Vault,
  generation: string,
  collection: Collection,
  pause: () => Promise<void>,
  heap = SMALL_HEAP,
): Promise<CollectionStore> {
  const keys = collectionKeys(generation, collection.letter);
  const storage = hasSets(collection)
    ? await collection.openSets(device, keys, (other, kind, wrap) =>
        openCollectionStore(other, wrap(vault), generation, kind, pause, heap),
      )
    : device;
  const [stored, second] = await ported(storage.get([keys.cursor, keys.second]));
  // Another build has made the second of two sets the live one: see sets.ts.
  if (storage === device && second && !stateOf(second).staging) {
    throw new SyncError('clientTooOld', `${collection.name}: needs atomic()`);
  }
  let state = inForm(collection, stateOf(stored));
  let closed: SyncError | null = null;
  const pacer = createPacer(pause);

  const loaded = async <T>(
    kind: 'mirror' | 'outbox',
    id: string,
    values: (Value | null)[],
    at: number,
    unpack: (packed: Packed) => T | null,
  ): Promise<T> => {
    const key = kind === 'mirror' ? keys.record(id) : keys.outbox(id);
    const packed = await unpacked(vault, key, values, at, pause);
    const found = packed && unpack(packed);
    if (found === null) throw damaged(kind, collection.name, id);
    return found;
  };

  const packed = async (key: string, { head, text }: Packed): Promise<Value> =>
    collection.sealed ? vault.seal(key, head, text) : `${head}\n${text}`;

  const idsIn = async (range: string, after: string | null, limit: number): Promise<string[]> => {
    const from = after === null ? range : `${range}${escapeId(after)}!`;
    const found = await ported(storage.scan({ from, to: rangeEnd(range), limit }));
    return found.map((key) => unescapeId(key.slice(range.length)));
  };

  return {
    collection,
    keys,
    lock: createLock(),
    heap,
    storage,
    get state() {
      return state;
    },

    async load(ids, charsMax = Number.MAX_VALUE) {
      if (ids.length === 0) return [];
      const wanted = ids.flatMap((id) => [keys.record(id), keys.outbox(id)]);
      if (state.quarantined > 0) wanted.push(...ids.map((id) => keys.quarantine(id)));
      const values = await ported(storage.get(wanted));
      const entries: Entry[] = [];
      for (const [index, id] of ids.entries()) {
        const at = index * 2;
        const chars = (values[at]?.length ?? 0) + (values[at + 1]?.length ?? 0);
        if (chars > charsMax) {
          entries.push(NO_ENTRY);
          continue;
        }
        const mark = values[ids.length * 2 + index] ?? null;
        entries.push({
          // Most records have neither, and no turn is spent on that.
          mirror: values[at] == null ? null : await loaded('mirror', id, values, at, unpackMirror),
          local:
            values[at + 1] == null ? null : await loaded('outbox', id, values, at + 1, unpackLocal),
          quarantined: mark !== null,
          ...(mark !== null && `${mark}`.includes(UNKNOWN_FORM) && { isUnknownForm: true }),
        });
        const turn = pacer(chars + RECORD_CHARS);
        if (turn !== null) await turn;
      }
      return entries;
    },

    begin: () =>
      beginTransaction(collection, keys, state, heap, packed, async (changes, next, chars) => {
        if (closed !== null) throw closed;
        try {
          await ported(storage.commit(changes));
          state = next;
        } catch (error) {
          const isRefused = error instanceof SyncError && error.code !== 'outOfMemory';
          // What the storage refuses has changed nothing. Of anything else nobody knows.
          if (!isRefused) closed = STALE;
          throw error;
        }
        await pacer(chars + COMMIT_CHARS);
      }),

    pendingIds: (after, limit) => idsIn(keys.outbox(), after, limit),
    deletionIds: (after, limit) => idsIn(keys.deletion(), after, limit),

    async mirrorIds(after, limit) {
      const ids = await idsIn(keys.record(), after, limit);
      return { ids, next: nextOf(ids, limit) };
    },

    async indexed({ prefix, limit, after = null, reverse = false }) {
      const base = keys.indexes + prefix;
      const from = after !== null && !reverse ? `${after}!` : base;
      const to = after !== null && reverse ? after : rangeEnd(base);
      const places = await ported(storage.scan({ from, to, limit, reverse }));
      return { ids: places.map(idOfIndexKey), places, next: nextOf(places, limit) };
    },

    get closed() {
      return closed;
    },
    close(why) {
      closed = why;
    },
  };
}

/** Where to go on behind what was found; null: that was all. */
function nextOf(found: readonly string[], limit: number): string | null {
  return found.length < limit ? null : (found[limit - 1] ?? null);
}

const STALE = new SyncError('outOfMemory', 'the collection has to be opened anew');

type Pack = (key: string, packed: Packed) => Promise<Value>;

function beginTransaction(
  collection: Collection,
  keys: CollectionKeys,
  start: CollectionState,
  { commitCharsMax, commitChangesMax }: HeapLimits,
  pack: Pack,
  write: (changes: readonly Change[], next: CollectionState, chars: number) => Promise<void>,
): Transaction {
  const changes: Change[] = [];
  const toSeal: { key: string; packed: Packed }[] = [];
  let { held, pending, quarantined, unknownForm, unknownFrom } = start;
  let patch: Partial<CollectionState> = {};
  let chars = 0;

  const put = (key: string, value: Packed | null): void => {
    chars += value?.text.length ?? 0;
    if (value === null) changes.push([key, null]);
    else if (collection.sealed) toSeal.push({ key, packed: value });
    else changes.push([key, `${value.head}\n${value.text}`]);
  };

  /** How many more records apps see. */
  const reindex = (id: string, before: Entry, after: Entry): number => {
    const [was, is] = [shown(collection, before), shown(collection, after)];
    const [wasKnownMs, isKnownMs] = [knownMs(before), knownMs(after)];
    if (was === is && wasKnownMs === isKnownMs) return 0;
    const now = is === null ? [] : collection.index(is, isKnownMs);
    // Earlier builds believed every date.
    const olds = was === null ? [] : [wasKnownMs, Infinity].map((ms) => collection.index(was, ms));
    for (const suffix of new Set(olds.flat())) {
      if (!now.includes(suffix)) changes.push([keys.index(suffix, id), null]);
    }
    for (const suffix of now) {
      const isThere = was !== null && olds.every((old) => old.includes(suffix));
      if (!isThere) changes.push([keys.index(suffix, id), '']);
    }
    return Number(is !== null) - Number(was !== null);
  };

  return {
    get size() {
      return changes.length + toSeal.length + Object.keys(patch).length;
    },
    get isFull() {
      return chars >= commitCharsMax || changes.length + toSeal.length >= commitChangesMax;
    },
    set(id, before, after) {
      if (after.mirror !== before.mirror) {
        put(keys.record(id), after.mirror === null ? null : packMirror(after.mirror));
      }
      if (after.local !== before.local) {
        put(keys.outbox(id), after.local === null ? null : packLocal(after.local));
        pending += Number(after.local !== null) - Number(before.local !== null);
        const isDeletion = after.local?.body === null;
        if (isDeletion !== (before.local?.body === null)) {
          changes.push([keys.deletion(id), isDeletion ? '' : null]);
        }
      }
      if (before.quarantined && !after.quarantined) {
        changes.push([keys.quarantine(id), null]);
        quarantined--;
        unknownForm -= Number(before.isUnknownForm === true);
      }
      held += reindex(id, before, after);
    },
    quarantine(id, before, code, modifiedMs) {
      const isUnknown = code === UNKNOWN_FORM;
      if (isUnknown) unknownFrom ??= start.position;
      // What the device holds of a record must not replace a version that it cannot read: that is
      // always remembered.
      const isHeld = before.quarantined || before.mirror !== null || before.local !== null;
      if (!isHeld && quarantined >= QUARANTINE_MAX) return;
      changes.push([keys.quarantine(id), jsonStored({ code, modifiedMs })]);
      if (!before.quarantined) quarantined++;
      unknownForm += Number(isUnknown) - Number(before.isUnknownForm === true);
    },
    recount() {
      held = pending = quarantined = unknownForm = 0;
      unknownFrom = undefined;
    },
    update(more) {
      patch = { ...patch, ...more };
    },
    nextSeq() {
      const seq = (patch.seq ?? start.seq) + 1;
      patch = { ...patch, seq };
      return seq;
    },
    async commit() {
      // What is sealed is not kept beside what it was.
      for (let item = toSeal.shift(); item !== undefined; item = toSeal.shift()) {
        changes.push([item.key, await pack(item.key, item.packed)]);
      }
      const counted = { ...start, held, pending, quarantined, unknownForm, unknownFrom };
      const next = { ...counted, ...patch };
      changes.push([keys.cursor, jsonStored(next)]);
      await write(changes, next, chars);
    },
  };
}

/** What apps see of an entry; an emptied page is nothing. */
function shown(collection: Collection, entry: Entry): Body | null {
  const body = visible(entry);
  return body === null || collection.isEmpty(body) ? null : body;
}
