// How much an app keeps: counted once by the index, which tells sizes without the records, and kept
// in step with what the app changes. Whatever else changes the collection (a pass, another session)
// has it counted again.

import { appBytes, SIZE, sizeIn } from '../collections/app.ts';
import type { Body } from '../collections/collection.ts';
import type { CollectionState } from '../store/collection-state.ts';
import { visible } from '../store/record.ts';
import type { CollectionStore } from '../store/store.ts';
import type { Transaction } from '../store/transaction.ts';

interface Count {
  readonly records: number;
  /** As `appBytes` counts them. */
  readonly bytes: number;
}

/** Index entries that are in memory at a time. */
const ENTRIES_MAX = 64;

/** What was counted, and in which state of the collection. */
const COUNTS = new WeakMap<CollectionStore, Count & { readonly state: CollectionState }>();

/** `pause`: between portions of the index. Errors: those of the storage. */
export async function countOf(store: CollectionStore, pause: () => Promise<void>): Promise<Count> {
  const known = COUNTS.get(store);
  if (known?.state === store.state) return known;
  const { state } = store;
  const start = store.keys.indexes.length + SIZE.length;
  let [records, bytes] = [0, 0];
  let after: string | null = null;
  do {
    const query = { prefix: SIZE, limit: ENTRIES_MAX, after };
    const page: Awaited<ReturnType<CollectionStore['indexed']>> = await store.indexed(query);
    records += page.places.length;
    for (const place of page.places) {
      bytes += sizeIn(place.slice(start, place.lastIndexOf('!')));
    }
    after = page.next;
    await pause();
  } while (after !== null);
  // A change that came meanwhile may be counted or not: it is looked at again next time.
  COUNTS.set(store, { state, records, bytes });
  return { records, bytes };
}

/** The same store; what is changed through it stays counted. */
export function counting(store: CollectionStore): CollectionStore {
  const begin = (): Transaction => {
    const transaction = store.begin();
    const { state } = store;
    let [records, bytes] = [0, 0];
    const add = (body: Body | null, sign: number): void => {
      if (body === null) return;
      records += sign;
      bytes += sign * appBytes(body);
    };
    const set: Transaction['set'] = (id, before, after) => {
      add(visible(before), -1);
      add(visible(after), 1);
      transaction.set(id, before, after);
    };
    const commit = async (): Promise<void> => {
      await transaction.commit();
      const known = COUNTS.get(store);
      if (known?.state !== state) return;
      const count = { records: known.records + records, bytes: known.bytes + bytes };
      COUNTS.set(store, { ...count, state: store.state });
    };
    return Object.create(transaction, { set: { value: set }, commit: { value: commit } });
  };
  return Object.create(store, { begin: { value: begin } });
}
