// One collection on the storage port: records, outbox, quarantine, index, cursor and counters.
// Every change of a record goes through `Transaction.set`, which keeps the index and the counters in step,
// and every transaction is one atomic commit that carries the cursor. Keeps no record in memory.

import { JsonTooLarge, longJsonUnits, parseLongJson } from '../crypto/json.ts';
import type { Change, Storage, Value } from '../platform/ports.ts';
import type { Body, Collection } from './collections/collection.ts';
import {
  type Entry,
  knownMs,
  type Packed,
  packLocal,
  packMirror,
  UNKNOWN_FORM,
  unpackLocal,
  unpackMirror,
  visible,
} from './entry.ts';
import { ported, SyncError } from './errors.ts';
import {
  type CollectionKeys,
  collectionKeys,
  escapeId,
  idOfIndexKey,
  rangeEnd,
  unescapeId,
} from './keys.ts';
import {
  COMMIT_CHARS,
  type HeapLimits,
  QUARANTINE_MAX,
  RECORD_CHARS,
  SMALL_HEAP,
  STAMP_STEP_MS,
} from './limits.ts';
import { createLock, type Lock } from './lock.ts';
import { createPacer } from './pacer.ts';
import { damaged, jsonStored, storedObject } from './stored.ts';
import type { Vault } from './vault.ts';

/** Where a listing stands. `page` is the remote's own next page, valid only for `since` and `stampMs`. */
export interface Cursor {
  /** All changes up to this server time are here; -1: nothing was ever listed. */
  readonly sinceMs: number;
  readonly page: string | null;
  /** Version of the collection that the listing under way shows; 0 for none. */
  readonly stampMs: number;
  /** Everything up to this time has arrived although the listing is not at its end. */
  readonly floorMs: number;
}

export const START: Cursor = { sinceMs: -1, page: null, stampMs: 0, floorMs: -1 };

export interface CollectionState {
  readonly cursor: Cursor;
  readonly epoch: number;
  /** A whole listing after a reset is under way; at its end, what it did not show goes up again. */
  readonly resetting: boolean;
  /** Records that apps see. */
  readonly held: number;
  readonly pending: number;
  readonly quarantined: number;
  /** Of them, those that the account's keys prove, and whose form this build does not know. */
  readonly unknownForm: number;
  /** Server time of the oldest of these since the collection was last read for them. */
  readonly unknownSinceMs?: number | undefined;
  /** The forms that the build knew that has read them: see `Collection.form`. */
  readonly form?: number;
  /** The last local change's number. */
  readonly seq: number;
  /** Device time of the server's refusal to take writes; 0 for none. */
  readonly readOnlyAtMs: number;
  /** Device time of the server's refusal to have the collection added to the account; counts while it is not listed. */
  readonly listRefusedAtMs?: number;
  /** The engine's syncID in `meta/global` when the cursor was started. */
  readonly syncId: string;
  /** The last request of another device that was carried out. */
  readonly applied?: readonly [versionMs: number, index: number];
  /** Device time when a change was parked first, or the parked ones were tried last. */
  readonly parkedCheckMs?: number;
  /** Set while the device's data is dropped: the last local change that goes, too. */
  readonly wipeUpTo?: number | undefined;
}

const NEW_STATE: CollectionState = {
  cursor: START,
  epoch: 0,
  resetting: false,
  held: 0,
  pending: 0,
  quarantined: 0,
  unknownForm: 0,
  seq: 0,
  readOnlyAtMs: 0,
  syncId: '',
};

export interface CollectionStore {
  readonly collection: Collection;
  readonly keys: CollectionKeys;
  /** Guards load, decide, commit; the local API takes it too. */
  readonly lock: Lock;
  readonly state: CollectionState;
  /** How much of the collection may be in memory at a time. */
  readonly heap: HeapLimits;
  /** Gives the device its turns, so that whoever works on many records need not. */
  /** Errors: `damaged` names the first value that is not what was written. */
  load(ids: readonly string[]): Promise<Entry[]>;
  begin(): Transaction;
  /** Outbox ids in key order, after `after` (exclusive). */
  pendingIds(after: string | null, limit: number): Promise<string[]>;
  /** Those that are deletions. */
  deletionIds(after: string | null, limit: number): Promise<string[]>;
  /** Ids of index entries whose suffix starts with `prefix`, the place behind each, and that to go on from. */
  indexed(query: IndexQuery): Promise<{ ids: string[]; places: string[]; next: string | null }>;
  mirrorIds(after: string | null, limit: number): Promise<{ ids: string[]; next: string | null }>;
  /** A commit ended without a word of the storage: what is in memory may be behind what is stored. */
  readonly isStale: boolean;
  /** Nothing is committed from now on: whoever tries gets `why`. */
  close(why: SyncError): void;
}

export interface IndexQuery {
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
  /** The number of a new local change. */
  nextSeq(): number;
  readonly size: number;
  /** So much has gathered that a small heap wants it committed. */
  readonly isFull: boolean;
  commit(): Promise<void>;
}

/**
 * Opens a collection: reads its one state value, nothing else. A long record takes turns (`pause`).
 * Errors: `storageFailed`, `damaged`.
 */
export async function openCollectionStore(
  storage: Storage,
  vault: Vault,
  generation: string,
  collection: Collection,
  pause: () => Promise<void>,
  heap = SMALL_HEAP,
): Promise<CollectionStore> {
  const keys = collectionKeys(generation, collection.letter);
  const [stored] = await ported(storage.get([keys.cursor]));
  let state = inForm(collection, stateOf(collection, stored));
  let closed: SyncError | null = null;
  const pacer = createPacer(pause);

  const opened = async (key: string, value: Value): Promise<Packed | null> => {
    const packed = typeof value === 'string' ? divided(value) : await vault.open(key, value);
    if (packed === null || packed.text.length <= longJsonUnits) return packed;
    // What is too much to be read in turns is left to the engine's own parser: it was stored here.
    const body = await parseLongJson(packed.text, pause).catch((error) => {
      if (error instanceof JsonTooLarge || error instanceof SyntaxError) return undefined;
      throw error;
    });
    return body === undefined ? packed : { ...packed, body: body as Body };
  };

  const loaded = async <T>(
    kind: 'mirror' | 'outbox',
    id: string,
    value: Value | null,
    unpack: (packed: Packed) => T | null,
  ): Promise<T | null> => {
    if (value === null) return null;
    const packed = await opened(kind === 'mirror' ? keys.record(id) : keys.outbox(id), value);
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
    get state() {
      return state;
    },

    async load(ids) {
      if (ids.length === 0) return [];
      const wanted = ids.flatMap((id) => [keys.record(id), keys.outbox(id)]);
      if (state.quarantined > 0) wanted.push(...ids.map((id) => keys.quarantine(id)));
      const values = await ported(storage.get(wanted));
      const entries: Entry[] = [];
      for (const [index, id] of ids.entries()) {
        const mirror = values[index * 2] ?? null;
        const local = values[index * 2 + 1] ?? null;
        const mark = values[ids.length * 2 + index] ?? null;
        entries.push({
          mirror: await loaded('mirror', id, mirror, unpackMirror),
          local: await loaded('outbox', id, local, unpackLocal),
          quarantined: mark !== null,
          ...(mark !== null && `${mark}`.includes(UNKNOWN_FORM) && { isUnknownForm: true }),
        });
        const turn = pacer((mirror?.length ?? 0) + (local?.length ?? 0) + RECORD_CHARS);
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

    pendingIds: (after, limit) => idsIn(keys.outboxes, after, limit),
    deletionIds: (after, limit) => idsIn(keys.deletions, after, limit),

    async mirrorIds(after, limit) {
      const ids = await idsIn(keys.records, after, limit);
      return { ids, next: ids.length === limit ? (ids.at(-1) ?? null) : null };
    },

    async indexed({ prefix, limit, after = null, reverse = false }) {
      const base = keys.indexes + prefix;
      const from = after !== null && !reverse ? `${after}!` : base;
      const to = after !== null && reverse ? after : rangeEnd(base);
      const places = await ported(storage.scan({ from, to, limit, reverse }));
      const next = places.length === limit ? (places.at(-1) ?? null) : null;
      return { ids: places.map(idOfIndexKey), places, next };
    },

    get isStale() {
      return closed?.code === 'outOfMemory';
    },
    close(why) {
      closed = why;
    },
  };
}

const STALE = new SyncError('outOfMemory', 'the collection has to be opened anew');

/**
 * A build that knows other forms than the one before reads once more from the oldest record that this one set aside
 * for its form. The next commit writes it down.
 */
function inForm({ form = 0 }: Collection, state: CollectionState): CollectionState {
  if (state.form === form) return state;
  // A store from before forms were counted does not say which they are.
  const fromMs = state.form === undefined && state.quarantined > 0 ? 0 : state.unknownSinceMs;
  if (fromMs === undefined) return { ...state, form };
  const sinceMs = Math.min(state.cursor.sinceMs, Math.max(0, fromMs - STAMP_STEP_MS));
  return { ...state, form, unknownSinceMs: undefined, cursor: { ...START, sinceMs } };
}

function stateOf({ name }: Collection, stored: Value | null | undefined): CollectionState {
  if (stored === null || stored === undefined) return NEW_STATE;
  const state = storedObject(NEW_STATE, stored);
  if (state === null) throw damaged('collection', name);
  return state;
}

function divided(value: string): Packed {
  const end = value.indexOf('\n');
  return { head: value.slice(0, end), text: value.slice(end + 1) };
}

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
  let { held, pending, quarantined, unknownForm, unknownSinceMs } = start;
  let patch: Partial<CollectionState> = {};
  let chars = 0;

  const put = (key: string, value: Packed | null): void => {
    chars += value?.text.length ?? 0;
    if (value === null) changes.push([key, null]);
    else if (collection.sealed) toSeal.push({ key, packed: value });
    else changes.push([key, `${value.head}\n${value.text}`]);
  };

  const reindex = (id: string, before: Entry, after: Entry): void => {
    const [was, is] = [shown(collection, before), shown(collection, after)];
    const [wasKnownMs, isKnownMs] = [knownMs(before), knownMs(after)];
    if (was === is && wasKnownMs === isKnownMs) return;
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
      const was = shown(collection, before);
      const is = shown(collection, after);
      reindex(id, before, after);
      held += Number(is !== null) - Number(was !== null);
    },
    quarantine(id, before, code, modifiedMs) {
      const isUnknown = code === UNKNOWN_FORM;
      if (isUnknown) unknownSinceMs = Math.min(unknownSinceMs ?? modifiedMs, modifiedMs);
      // What the device holds of a record must not replace a version that it cannot read: that is always remembered.
      const isHeld = before.quarantined || before.mirror !== null || before.local !== null;
      if (!isHeld && quarantined >= QUARANTINE_MAX) return;
      changes.push([keys.quarantine(id), jsonStored({ code, modifiedMs })]);
      if (!before.quarantined) quarantined++;
      unknownForm += Number(isUnknown) - Number(before.isUnknownForm === true);
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
      for (const { key, packed } of toSeal) changes.push([key, await pack(key, packed)]);
      const counted = { held, pending, quarantined, unknownForm, unknownSinceMs };
      const next = { ...start, ...patch, ...counted };
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
