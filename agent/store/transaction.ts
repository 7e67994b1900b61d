// What changes in a collection together: records, their index, the counters and the cursor, which
// go into one atomic commit. Nothing is in the storage before that, and what is sealed is in memory
// once.

import type { Change } from '../../platform/ports.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { type HeapLimits, QUARANTINE_MAX } from '../limits.ts';
import type { CollectionState } from './collection-state.ts';
import type { CollectionKeys } from './layout.ts';
import {
  type Entry,
  knownMs,
  type Packed,
  packLocal,
  packMirror,
  UNKNOWN_FORM,
  visible,
} from './record.ts';
import { jsonStored } from './stored.ts';
import type { Vault } from './vault.ts';

/** A collection whose transactions note something beside its records: see undecided.ts. */
export interface NotingCollection extends Collection {
  /** `state`: of the collection, when the transaction began. */
  noting(transaction: Transaction, keys: CollectionKeys, state: CollectionState): Transaction;
}

export function isNoting(collection: Collection): collection is NotingCollection {
  return 'noting' in collection;
}

export interface Transaction {
  /** Puts a value beside the records; null removes it. */
  put(key: string, value: Packed | null): void;
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

/** Stores what a transaction has gathered, and the state of the collection from then on. */
export type WriteCommit = (
  changes: readonly Change[],
  next: CollectionState,
  chars: number,
) => Promise<void>;

/** Begins one whose collection is in the state `start`; `write` stores what has gathered. */
export function beginTransaction(
  collection: Collection,
  keys: CollectionKeys,
  start: CollectionState,
  { commitCharsMax, commitChangesMax }: HeapLimits,
  vault: Vault,
  write: WriteCommit,
): Transaction {
  const gathered: Put[] = [];
  let { held, pending, quarantined, unknownForm, unknownFrom } = start;
  let patch: Partial<CollectionState> = {};
  let chars = 0;
  const put = (key: string, value: Put['value']): void => {
    chars += typeof value === 'object' ? (value?.text.length ?? 0) : 0;
    gathered.push({ key, value });
  };
  const reindex = createIndex(collection, keys, put);

  return {
    put,
    get size() {
      return gathered.length + Object.keys(patch).length;
    },
    get isFull() {
      return chars >= commitCharsMax || gathered.length >= commitChangesMax;
    },
    set(id, before, after) {
      const { mirror, local } = after;
      if (mirror !== before.mirror) put(keys.record(id), mirror && packMirror(mirror));
      if (local !== before.local) {
        put(keys.outbox(id), local && packLocal(local));
        pending += Number(local !== null) - Number(before.local !== null);
      }
      if (before.quarantined && !after.quarantined) {
        put(keys.quarantine(id), null);
        quarantined--;
        unknownForm -= Number(before.isUnknownForm === true);
      }
      held += reindex(id, before, after);
    },
    quarantine(id, before, code, modifiedMs) {
      const isUnknown = code === UNKNOWN_FORM;
      if (isUnknown) unknownFrom ??= start.position;
      // One that the device cannot read is not replaced by what it holds: always remembered.
      const isHeld = before.quarantined || before.mirror !== null || before.local !== null;
      if (!isHeld && quarantined >= QUARANTINE_MAX) return;
      put(keys.quarantine(id), jsonStored({ code, modifiedMs }));
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
      const changes = await sealed(gathered, collection, vault);
      const next = { ...start, held, pending, quarantined, unknownForm, unknownFrom, ...patch };
      changes.push([keys.cursor, jsonStored(next)]);
      await write(changes, next, chars);
    },
  };
}

/** A change of the storage; null: removed. */
interface Put {
  readonly key: string;
  readonly value: string | Packed | null;
}

/** As they are stored; empties `gathered`, so that nothing is kept beside what it is sealed as. */
async function sealed(gathered: Put[], collection: Collection, vault: Vault): Promise<Change[]> {
  const changes: Change[] = [];
  for (let put = gathered.shift(); put !== undefined; put = gathered.shift()) {
    const { key, value } = put;
    if (typeof value !== 'object' || value === null) changes.push([key, value]);
    else {
      const { head, text } = value;
      // Nothing waits that need not.
      const isSealed = collection.sealed;
      changes.push([key, isSealed ? await vault.seal(key, head, text) : `${head}\n${text}`]);
    }
  }
  return changes;
}

/**
 * Keeps in step with a record what it is found by: the index of what apps see, and the list of
 * deletions. Returns how many records more apps see.
 */
function createIndex(
  collection: Collection,
  keys: CollectionKeys,
  put: (key: string, value: string | null) => void,
): (id: string, before: Entry, after: Entry) => number {
  /** An emptied page is nothing. */
  const shown = (entry: Entry): Body | null => {
    const body = visible(entry);
    return body === null || collection.isEmpty(body) ? null : body;
  };
  return (id, before, after) => {
    const isDeletion = after.local?.body === null;
    if (isDeletion !== (before.local?.body === null)) {
      put(keys.deletion(id), isDeletion ? '' : null);
    }
    const [was, is] = [shown(before), shown(after)];
    const [wasKnownMs, isKnownMs] = [knownMs(before), knownMs(after)];
    if (was === is && wasKnownMs === isKnownMs) return 0;
    const now = is === null ? [] : collection.index(is, isKnownMs);
    // Earlier builds believed every date.
    const olds = was === null ? [] : [wasKnownMs, Infinity].map((ms) => collection.index(was, ms));
    for (const suffix of new Set(olds.flat())) {
      if (!now.includes(suffix)) put(keys.index(suffix, id), null);
    }
    for (const suffix of now) {
      const isThere = was !== null && olds.every((old) => old.includes(suffix));
      if (!isThere) put(keys.index(suffix, id), '');
    }
    return Number(is !== null) - Number(was !== null);
  };
}
