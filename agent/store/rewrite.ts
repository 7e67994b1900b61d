// Changes of many records, with one of them in memory at a time: commits are as large as a small
// heap can hold. Each record is whole after a power cut, the old one or the new one; the records
// together are not.

import type { Body } from '../collections/collection.ts';
import { UNDECIDED_TRIES } from '../limits.ts';
import type { CollectionState } from './collection-state.ts';
import { type Entry, isUndecided, type Known, NO_ENTRY } from './record.ts';
import type { CollectionStore } from './store.ts';
import type { Transaction } from './transaction.ts';

interface Item {
  readonly id: string;
  /** Each item is of another record. */
  readonly known?: Known | undefined;
}

/**
 * `step` puts what becomes of a record into the transaction; `atEnd` adds to the last commit.
 * Errors: the store's.
 */
export async function rewriteEach<T extends Item>(
  store: CollectionStore,
  items: readonly T[],
  step: (transaction: Transaction, before: Entry, item: T) => void,
  atEnd: (transaction: Transaction) => void = () => undefined,
): Promise<void> {
  let at = 0;
  // A state that only commits of these items lie behind, and the one that they have led to.
  let from: object | null = null;
  let to: object | null = null;
  do {
    await store.lock.run(async () => {
      const { state } = store;
      if (state !== to) from = state;
      const transaction = store.begin();
      for (; at < items.length && !transaction.isFull; at++) {
        const item = items[at] as T;
        const isKnown = item.known?.state === state || item.known?.state === from;
        const [before = NO_ENTRY] =
          item.known && isKnown ? [item.known.entry] : await store.load([item.id]);
        step(transaction, before, item);
      }
      if (at === items.length) atEnd(transaction);
      if (transaction.size > 0) await transaction.commit();
      to = store.state;
    });
  } while (at < items.length);
}

/**
 * A change of the collection's state alone, by what it is when its turn has come. Errors: the
 * store's.
 */
export function updateState(
  store: CollectionStore,
  change: (state: CollectionState) => Partial<CollectionState>,
): Promise<void> {
  return store.lock.run(async () => {
    const transaction = store.begin();
    transaction.update(change(store.state));
    await transaction.commit();
  });
}

/**
 * Puts a change of this device into the transaction. `before` was loaded under the store's lock;
 * body null: a deletion.
 */
export function setLocal(
  transaction: Transaction,
  id: string,
  before: Entry,
  body: Body | null,
  changedAtMs: number,
): void {
  // Who goes on editing has not decided.
  const tries = isUndecided(before.local) ? UNDECIDED_TRIES : 0;
  const local = { body, changedAtMs, seq: transaction.nextSeq(), tries };
  transaction.set(id, before, { ...before, local });
}
