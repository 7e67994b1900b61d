// What other apps of the device do with the synced data: get, list, put, delete.
// A put or delete resolves when it is durable and in the outbox. Apps never wait for the network.

import { isObject } from '../../crypto/engine.ts';
import type { Platform } from '../../platform/ports.ts';
import type { Body, Collection, Prepared } from '../collections/collection.ts';
import { editOf, hasSameMembers } from '../collections/members.ts';
import type { SizeLimits } from '../config.ts';
import { badInput, SyncError } from '../errors.ts';
import { LIST_CHARS_MAX, LIST_MAX, SLICE_CHARS_MAX } from '../limits.ts';
import {
  createShowing,
  eachOther,
  findSame,
  type Showing,
  type Shown,
  shown,
  thingOf,
} from '../store/dupes.ts';
import { type Entry, NO_ENTRY, visible } from '../store/record.ts';
import { setLocal } from '../store/rewrite.ts';
import type { CollectionStore } from '../store/store.ts';
import { checkSize } from '../wire/record-size.ts';
import { hasFolders } from './folders.ts';
import { ownIdOf, wireIdOf } from './record-id.ts';

export interface ListQuery {
  /**
   * Only records whose address (URL, origin) starts with this. Without it: newest first where there
   * are dates.
   */
  readonly prefix?: string;
  /**
   * Of the user's apps, in a build that has them on the system: `own` are installed here or
   * promoted, which is what is listed if nothing is said; `remote` came from other devices; `pick`
   * has all of these, in that order, `hidden` those that are out of sight here, and `all`
   * everything.
   */
  readonly purpose?: 'own' | 'remote' | 'pick' | 'hidden' | 'all';
  /** Only what lies in the folder with this id, in its order. */
  readonly parent?: string;
  /** 1 to LIST_MAX. */
  readonly limit: number;
  /** `next` of the call before. */
  readonly after?: string | null;
}

export interface ListResult {
  readonly records: Body[];
  /** Where to go on, or null at the end. */
  readonly next: string | null;
}

/**
 * What apps see of the thing that a record is of, under the id that they see it by; null if they
 * see nothing of it.
 */
export async function getRecord(store: CollectionStore, id: string): Promise<Body | null> {
  const record = await load(store, wireIdOf(store.collection, id));
  if (record === null) return null;
  const { first, body } = await thingOf(store, record);
  return store.collection.view(first.id, body);
}

async function load(store: CollectionStore, id: string): Promise<Shown | null> {
  const [entry = NO_ENTRY] = await store.load([id]);
  return shown(store, id, entry);
}

/**
 * Records by address prefix or newest first. The list ends early, with a `next`, before its JSON is
 * longer than LIST_CHARS_MAX; it has at least one record if there is one. Errors: `badInput` names
 * the field and the limit.
 */
export async function listRecords(store: CollectionStore, query: ListQuery): Promise<ListResult> {
  // A page is of what there was or of what has replaced it.
  for (;;) {
    const { flips } = store.storage;
    const listed = await listOnce(store, query);
    if (flips === store.storage.flips) return listed;
  }
}

async function listOnce(store: CollectionStore, query: ListQuery): Promise<ListResult> {
  const { prefix, parent, limit, after = null } = query;
  const start = startOf(store, query);
  if (parent !== undefined) {
    const { collection } = store;
    if (hasFolders(collection)) return collection.listFolder(store, parent, limit, after);
    throw badInput('parent: there are no folders here');
  }
  const records: Body[] = [];
  const showing = createShowing(store);
  let chars = 0;
  let last = after;
  // How long records are shows when they are loaded: few at first, more where they are short.
  let most = 1;
  for (let left = limit; left > 0 && chars < LIST_CHARS_MAX; ) {
    const portion = Math.min(left, most);
    const charsBefore = chars;
    const { ids, places, next } = await store.indexed({
      prefix: start,
      limit: portion,
      after: last,
    });
    const entries = await showing.load(ids);
    for (const [index, id] of ids.entries()) {
      const record = await view(store, showing, id, entries[index] ?? NO_ENTRY, prefix);
      chars += record === null ? 0 : JSON.stringify(record).length;
      if (chars > LIST_CHARS_MAX && records.length > 0) return { records, next: last };
      if (record !== null) records.push(record);
      last = places[index] ?? last;
    }
    if (next === null) return { records, next };
    left -= portion;
    const isShort = chars - charsBefore < SLICE_CHARS_MAX;
    most = isShort ? Math.min(most * 2, store.heap.batchRecordsMax) : Math.max(1, most >> 1);
  }
  return { records, next: last };
}

/** What the index entries of a list start with. */
function startOf({ collection, keys }: CollectionStore, query: ListQuery): string {
  const { prefix, limit, after = null } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX) {
    throw badInput(`limit: not an integer from 1 to ${LIST_MAX}`);
  }
  if (prefix !== undefined && typeof prefix !== 'string') {
    throw badInput('prefix: not a string');
  }
  const start =
    prefix !== undefined ? collection.addressPrefix(prefix) : collection.evictable ? 'd' : 'u';
  if (query.parent !== undefined) return '';
  if (after !== null && !isPlace(after, keys.indexes + start)) {
    throw badInput('after: not the next of a list like this');
  }
  return start;
}

/** A key that `indexed` gave: the store is asked for nothing else on behalf of an app. */
function isPlace(after: unknown, start: string): boolean {
  return typeof after === 'string' && after.startsWith(start) && /^[!-~]{1,239}$/.test(after);
}

/** This device as its account's other devices know it. */
interface Self {
  readonly id: string;
  readonly name: string;
}

/**
 * Where a local change goes; `self` is null where the device is not among the account's devices.
 */
export interface Writable extends SizeLimits {
  readonly store: CollectionStore;
  readonly self: Self | null;
}

interface PutResult {
  readonly id: string;
  /** False: the record says so already, and nothing was written. */
  readonly isChanged: boolean;
}

/** Told of every record that a change deletes beside the one that it is made of. */
type Deleted = (id: string) => void;

/**
 * Creates or changes a record; without an id, the one that means the same is changed. Of a thing
 * with several records the one changes that apps see, and an edit that makes another thing of it
 * deletes the others. Resolves when it is durable. Errors: `badInput` names the field, `tooLarge`,
 * `readOnly`, `clientTooOld`, `storageFull`, `storageFailed`.
 */
export async function putRecord(
  { store, self, ...sizes }: Writable,
  platform: Platform,
  record: Body,
  deleted: Deleted = () => undefined,
): Promise<PutResult> {
  const { collection } = store;
  if (!isObject(record)) throw badInput('record: not an object');
  const nowMs = platform.clock.nowMs();
  const said = collection.writes === 'own' ? ownRecord(store, record, self) : record;
  const input = named(collection, said);
  const given = input.id ?? input.guid;
  const asked = given === undefined ? null : wireIdOf(collection, given);
  return store.lock.run(async () => {
    const newId = collection.newId(platform.entropy.random(18));
    const found = asked
      ? await load(store, asked)
      : await findSame(store, prepared(collection.prepare(input, null, newId, nowMs)));
    const thing = found && (await thingOf(store, found));
    const id = thing?.first.id ?? asked ?? wireIdOf(collection, newId);
    const [before = NO_ENTRY] = thing ? [thing.first.entry] : await store.load([id]);
    const existing = visible(before);
    // A newer build has taken it in, and this one does not know what an edit would do to it.
    if (existing !== null && collection.check(existing) !== null) {
      throw new SyncError('clientTooOld', 'record: of an unknown form');
    }
    const seen = thing?.body ?? existing;
    const edit = existing && seen ? editOf(input, existing, collection.view(id, seen)) : input;
    const made = prepared(collection.prepare(edit, existing, existing ? id : newId, nowMs, asked));
    const body = (before.mirror && collection.withAgreed?.(made, before.mirror.body)) ?? made;
    const ownId = ownIdOf(collection, id, body);
    const pause = (): Promise<void> => platform.clock.pause();
    const detail = { collection: collection.name, recordId: ownId };
    await checkSize(sizes, collection.outgoing(id, body), pause, detail);
    const isChanged = existing === null || !hasSameMembers(existing, body);
    const isOther = thing && collection.things?.same(thing.first.body, body) === false;
    const left = isOther ? thing.first : null;
    if (isChanged) await commitThing(store, left, { id, before, body, nowMs }, deleted);
    return { id: ownId, isChanged };
  });
}

/** What an app says, under the id that it means. */
function named({ idRule }: Collection, input: Body): Body {
  return idRule ? { ...input, id: idRule.idOf(input.id ?? input.guid) } : input;
}

/**
 * Deletes a thing for all devices, with all records of it. Errors: `notFound`, `readOnly`, storage
 * errors.
 */
export async function deleteRecord(
  store: CollectionStore,
  platform: Platform,
  id: string,
  self: Self | null,
  deleted: Deleted = () => undefined,
): Promise<void> {
  if (store.collection.writes === 'own') ownRecord(store, { id }, self);
  await store.lock.run(async () => {
    const wireId = wireIdOf(store.collection, id);
    const [before = NO_ENTRY] = await store.load([wireId]);
    const body = visible(before);
    const grave = body && store.collection.grave?.(body);
    if (body === null || grave === null) {
      throw new SyncError('notFound', 'there is no such record', {
        collection: store.collection.name,
        recordId: id,
      });
    }
    const nowMs = platform.clock.nowMs();
    const thing = shown(store, wireId, before);
    await commitThing(store, thing, { id: wireId, before, body: grave ?? null, nowMs }, deleted);
  });
}

interface LocalChange {
  readonly id: string;
  readonly before: Entry;
  readonly body: Body | null;
  readonly nowMs: number;
}

/**
 * A change of one record; the other records of `thing` are deleted, before it or along with it:
 * what is cut in the middle has not been acknowledged, and can be asked for again.
 */
async function commitThing(
  store: CollectionStore,
  thing: Shown | null,
  { id, before, body, nowMs }: LocalChange,
  deleted: Deleted,
): Promise<void> {
  let transaction = store.begin();
  const gone: string[] = [];
  const commit = async (): Promise<void> => {
    await transaction.commit();
    for (const other of gone.splice(0)) deleted(other);
  };
  const set = (changed: string, was: Entry, is: Body | null): void => {
    setLocal(transaction, changed, was, is, nowMs);
  };
  if (thing !== null) {
    await eachOther(store, thing, async (other) => {
      set(other.id, other.entry, null);
      gone.push(ownIdOf(store.collection, other.id, other.body));
      if (!transaction.isFull) return;
      await commit();
      transaction = store.begin();
    });
  }
  set(id, before, body);
  await commit();
}

/** Where each device has one record, an edit is of this device's. */
function ownRecord({ collection }: CollectionStore, record: Body, self: Self | null): Body {
  const id = record.id ?? record.guid ?? self?.id;
  if (self === null || id !== self.id) {
    throw new SyncError(
      'readOnly',
      `${collection.name}: only this device's own record can be written`,
    );
  }
  return { ...record, id, clientName: self.name };
}

/** Null: nothing that apps see under this id, or nothing whose address starts with `prefix`. */
async function view(
  store: CollectionStore,
  showing: Showing,
  id: string,
  entry: Entry,
  prefix?: string,
): Promise<Body | null> {
  const { collection } = store;
  const record = shown(store, id, entry);
  if (record === null) return null;
  if (prefix !== undefined && !collection.matches(record.body, prefix)) return null;
  const { first, body } = await showing.thing(record);
  return first === record ? collection.view(id, body) : null;
}

function prepared(result: Prepared): Body {
  if (!result.ok) throw badInput(result.complaint);
  return result.body;
}
