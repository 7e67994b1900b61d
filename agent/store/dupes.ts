// Records that mean the same under different ids: one page, one login, one extension. `Things`
// (collections/ collection.ts) says what apps see of them. Nothing here is remembered: such records
// share an index entry, and are loaded one at a time, for any may be long.

import type { Body, Things } from '../collections/collection.ts';
import { type Entry, knownMs, NO_ENTRY, visible } from './record.ts';
import type { CollectionStore } from './store.ts';

/** So many that look alike are compared to show one of them. */
const ALIKE_MAX = 32;
/** Characters of one that stays in memory while its look-alikes are listed. */
const KEPT_CHARS_MAX = 512;

/** A record that apps see. */
export interface Shown {
  readonly id: string;
  readonly entry: Entry;
  readonly body: Body;
}

/** Null: apps see nothing of it. */
export function shown({ collection }: CollectionStore, id: string, entry: Entry): Shown | null {
  const body = visible(entry);
  return body === null || collection.isEmpty(body) ? null : { id, entry, body };
}

/**
 * The record that means the same as `body` and is `wanted`, of several the one that apps see; else
 * one that other clients would merge with it. The record with the id `except` is not looked at.
 * Errors: the store's.
 */
export async function findSame(
  store: CollectionStore,
  body: Body,
  isWanted: (entry: Entry) => boolean = () => true,
  except?: string,
): Promise<Shown | null> {
  const { things } = store.collection;
  let best: Shown | null = null;
  let isExact = false;
  await eachAlike(store, body, except, (found, isSame) => {
    if (!isWanted(found.entry)) return;
    const isBetter = isSame
      ? !isExact || best === null || isBefore(things, found, best)
      : best === null && things?.isDupe?.(found.body, body);
    if (isBetter) [best, isExact] = [found, isSame];
  });
  return best;
}

/** The other records of the same thing, however many. Errors: the store's. */
export function eachOther(
  store: CollectionStore,
  { id, body }: Shown,
  take: (other: Shown) => Promise<void> | void,
): Promise<void> {
  return eachAlike(store, body, id, (other, isSame) => (isSame ? take(other) : undefined));
}

/**
 * What apps are told beside the change of a record: that they see its thing under another id, and
 * under no third one.
 * Errors: the store's.
 */
export async function tellOthers(
  store: CollectionStore,
  id: string,
  body: Body,
  tell: (id: string, change: 'put' | 'delete') => void,
): Promise<void> {
  const first = await findSame(store, body);
  const { ids, things } = store.collection;
  if (first === null || !things?.same(first.body, body)) return;
  const ownId = (one: Shown): string => ids?.ownId(one.id, one.body) ?? one.id;
  await eachOther(store, first, (other) => tell(ownId(other), 'delete'));
  if (first.id !== id) tell(ownId(first), 'put');
}

/** Calls `take` for every record, but for `except`, that may be of the same thing. */
async function eachAlike(
  store: CollectionStore,
  body: Body,
  except: string | undefined,
  take: (found: Shown, isSame: boolean) => Promise<void> | void,
): Promise<void> {
  const { things } = store.collection;
  if (things === undefined) return;
  // A call of its own: a loop would hold one record while it loads the next.
  const look = async (id: string): Promise<void> => {
    const [entry = NO_ENTRY] = await store.load([id]);
    const found = shown(store, id, entry);
    if (found !== null) await take(found, things.same(found.body, body));
  };
  let after: string | null = null;
  do {
    const query = { prefix: `${things.key(body)}!`, limit: ALIKE_MAX, after };
    const page: Awaited<ReturnType<CollectionStore['indexed']>> = await store.indexed(query);
    for (const id of page.ids) if (id !== except) await look(id);
    after = page.next;
  } while (after !== null);
}

/** A thing as apps see it. */
interface Thing {
  /** The record that edits go to. */
  readonly first: Shown;
  /** What apps see, if that is the record that was asked about. */
  readonly body: Body;
}

/** The thing that a record is of. Errors: the store's. */
export async function thingOf(store: CollectionStore, record: Shown): Promise<Thing> {
  const { thing } = createShowing(store);
  const found = await thing(record);
  return found.first === record ? found : thing(found.first);
}

/** What apps see of records, one after the other: make one for a listing. */
export interface Showing {
  load(ids: readonly string[]): Promise<Entry[]>;
  thing(record: Shown): Promise<Thing>;
}

/**
 * A record costs one look into the index, and another one is loaded only where it has the same
 * entry: at most `ALIKE_MAX`, of which short ones stay in memory until the next entry. Errors: the
 * store's.
 */
export function createShowing(store: CollectionStore): Showing {
  const { things } = store.collection;
  let key = '';
  let alike: readonly string[] = [];
  let portion = new Map<string, Entry>();
  const kept = new Map<string, Entry>();

  const known = (id: string): Entry | undefined => portion.get(id) ?? kept.get(id);

  const find = async (id: string): Promise<Shown | null> => {
    // A small heap holds one long record: such another one is shown by itself.
    const { batchCharsMax } = store.heap;
    const [entry = NO_ENTRY] = [known(id) ?? (await store.load([id], batchCharsMax))[0]];
    const { mirror, local } = entry;
    if (local === null && mirror !== null && mirror.text.length <= KEPT_CHARS_MAX) {
      kept.set(id, entry);
    }
    return shown(store, id, entry);
  };

  return {
    async load(ids) {
      const missing = ids.filter((id) => !kept.has(id));
      const loaded = await store.load(missing);
      portion = new Map(missing.map((id, at) => [id, loaded[at] ?? NO_ENTRY]));
      return ids.map((id) => known(id) ?? NO_ENTRY);
    },
    async thing(record) {
      let [first, { body }] = [record, record];
      if (things === undefined) return { first, body };
      const own = things.key(record.body);
      if (own !== key) {
        ({ ids: alike } = await store.indexed({ prefix: `${own}!`, limit: ALIKE_MAX }));
        key = own;
        kept.clear();
      }
      const meet = async (id: string): Promise<void> => {
        const other = id === record.id ? null : await find(id);
        if (other === null || !things.same(other.body, record.body)) return;
        if (isBefore(things, other, first)) first = other;
        body = things.unite?.(body, other.body) ?? body;
      };
      for (const id of alike) await meet(id);
      return { first, body };
    },
  };
}

/**
 * The newer by its own word, then the one that this device is about to send, then the newer on the
 * server.
 */
function isBefore(things: Things | undefined, a: Shown, b: Shown): boolean {
  const [ours = [], theirs = []] = [a, b].map(({ entry, body }) => [
    things?.clock?.(body, knownMs(entry)) ?? 0,
    Number(entry.local !== null),
    entry.mirror?.modifiedMs ?? 0,
  ]);
  for (const [at, rank] of ours.entries()) {
    const lead = rank - (theirs[at] ?? 0);
    if (lead !== 0) return lead > 0;
  }
  return a.id < b.id;
}
