// Conflicts that wait for somebody to decide. Of such a record the outbox has this device's
// version, the mirror the server's, and a value beside them what both were made from:
// `<g>.<c>.b.<id>`. It is written in the commit that makes the conflict, and goes in the one that
// ends it.

import type { Body, Collection } from '../collections/collection.ts';
import { escapeId } from '../collections/record-id.ts';
import { ported } from '../errors.ts';
import { type CollectionKeys, rangeEnd, unescapeId } from './layout.ts';
import {
  isUndecided,
  type Mirror,
  NO_ENTRY,
  type Packed,
  packMirror,
  unpackMirror,
} from './record.ts';
import type { CollectionStore } from './store.ts';
import { FORM } from './stored.ts';
import type { NotingCollection } from './transaction.ts';
import { unpacked } from './unpacked.ts';

/** The collection, with what its undecided conflicts were made from kept beside them. */
export function notingConflicts<T extends Collection>(collection: T): T & NotingCollection {
  return {
    ...collection,
    noting(transaction, keys, state) {
      let { conflicts = 0 } = state;
      const { recount, set } = transaction;
      transaction.recount = () => {
        conflicts = 0;
        transaction.update({ conflicts });
        recount();
      };
      transaction.set = (id, before, after) => {
        const isOne = isUndecided(after.local);
        if (isOne !== isUndecided(before.local)) {
          conflicts += isOne ? 1 : -1;
          // A build that lets nobody decide tries to send it again some day.
          const parkedCheckMs = state.parkedCheckMs ?? (after.local?.changedAtMs || 1);
          transaction.update({ conflicts, ...(isOne && { parkedCheckMs }) });
          const key = baseKey(keys, id);
          if (!isOne) transaction.put(key, null);
          // What a repair reads back has its value beside it already. A new record that meets one
          // of the same thing was made from nothing.
          else if (before !== NO_ENTRY)
            transaction.put(key, packBase(before.local && before.mirror));
        }
        set(id, before, after);
      };
      return transaction;
    },
  };
}

/** Ids of records with such a value, in key order, after `after` (exclusive). */
export async function undecidedIds(
  { keys, storage }: CollectionStore,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const range = baseKey(keys);
  const from = after === null ? range : `${baseKey(keys, after)}!`;
  const found = await ported(storage.scan({ from, to: rangeEnd(range), limit }));
  return found.map((key) => unescapeId(key.slice(range.length)));
}

/**
 * What both versions were made from; null where there was nothing, and where it cannot be read: it
 * is shown, and decides nothing.
 */
export async function baseOf(
  { keys, storage, vault }: CollectionStore,
  id: string,
  pause: () => Promise<void>,
): Promise<Body | null> {
  const key = baseKey(keys, id);
  const values = await ported(storage.get([key]));
  const packed = await unpacked(vault, key, values, 0, pause);
  return (packed && unpackMirror(packed)?.body) ?? null;
}

/**
 * The record has another name from now on: what its versions were made from goes along. Safe to be
 * cut and done again. Errors: those of the storage.
 */
export async function renameBase(
  { collection, keys, storage, vault }: CollectionStore,
  from: string,
  to: string,
  pause: () => Promise<void>,
): Promise<void> {
  const [was, is] = [baseKey(keys, from), baseKey(keys, to)];
  const values = await ported(storage.get([was]));
  if (values[0] === null) return;
  const packed = (await unpacked(vault, was, values, 0, pause)) ?? packBase(null);
  const { head, text = '', body } = packed;
  const whole = text || (body ? JSON.stringify(body) : '');
  const value = collection.sealed ? await vault.seal(is, head, whole) : `${head}\n${whole}`;
  await ported(
    storage.commit([
      [is, value],
      [was, null],
    ]),
  );
}

export function baseKey({ cursor }: CollectionKeys, id = ''): string {
  return `${cursor.slice(0, -1)}b.${escapeId(id)}`;
}

function packBase(mirror: Mirror | null): Packed {
  return mirror === null ? { head: FORM, text: '' } : packMirror(mirror);
}
