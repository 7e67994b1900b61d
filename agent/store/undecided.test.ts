// What is stored of a conflict that waits: it comes and goes with the conflict, in the same commit.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import {
  audit,
  localWith,
  mirrorWith,
  openTestStore,
  putEntries,
} from '../../test/support/store.ts';
import { generic } from '../collections/generic.ts';
import { UNDECIDED_TRIES } from '../limits.ts';
import { mendCollection } from './mend.ts';
import { type Entry, NO_ENTRY } from './record.ts';
import { setLocal } from './rewrite.ts';
import type { CollectionStore } from './store.ts';
import { baseKey, baseOf, notingConflicts, undecidedIds } from './undecided.ts';

const pause = async (): Promise<void> => undefined;
const [BASE, OURS, THEIRS] = ['base', 'ours', 'theirs'].map((text) => ({ id: 'a', text }));
const open = (storage: MemoryStorage, isSealed = true): Promise<CollectionStore> =>
  openTestStore(storage, notingConflicts(generic('notes', { sealed: isSealed })));

async function set(store: CollectionStore, id: string, after: Partial<Entry>): Promise<void> {
  const [before = NO_ENTRY] = await store.load([id]);
  const transaction = store.begin();
  transaction.set(id, before, { ...NO_ENTRY, ...after });
  await transaction.commit();
}

const waiting = { local: { ...localWith(OURS ?? null), tries: UNDECIDED_TRIES } };

/** A record that both sides have changed. */
async function conflict(store: CollectionStore, id = 'a'): Promise<void> {
  await putEntries(store, { [id]: { mirror: mirrorWith(BASE ?? {}), local: localWith(null) } });
  await set(store, id, { ...waiting, mirror: mirrorWith(THEIRS ?? {}, 2_000) });
}

describe.each([true, false])('a collection that is sealed: %s', (isSealed) => {
  test('keeps what both versions were made from as long as the conflict waits', async () => {
    const storage = new MemoryStorage();
    const store = await open(storage, isSealed);
    await conflict(store);
    expect(store.state.conflicts).toBe(1);
    const [value] = await storage.get([baseKey(store.keys, 'a')]);
    expect(typeof value).toBe(isSealed ? 'object' : 'string');
    for (const again of [store, await open(storage, isSealed)]) {
      expect(await undecidedIds(again, null, 10)).toEqual(['a']);
      expect(await baseOf(again, 'a', pause)).toEqual(BASE);
      expect(again.state.conflicts).toBe(1);
    }
    // Another version of theirs leaves it as it is.
    await set(store, 'a', { ...waiting, mirror: mirrorWith({ id: 'a', text: 'newer' }, 3_000) });
    expect(await baseOf(store, 'a', pause)).toEqual(BASE);
    await set(store, 'a', { mirror: mirrorWith(THEIRS ?? {}, 4_000) });
    expect(await undecidedIds(store, null, 10)).toEqual([]);
    expect(store.state.conflicts).toBe(0);
    expect(await audit(storage, store.collection)).toEqual([]);
  });
});

test('what was made from nothing has no base', async () => {
  const store = await open(new MemoryStorage());
  await putEntries(store, { a: { local: localWith(OURS ?? null) } });
  await set(store, 'a', { ...waiting, mirror: mirrorWith(THEIRS ?? {}) });
  expect(await undecidedIds(store, null, 10)).toEqual(['a']);
  expect(await baseOf(store, 'a', pause)).toBeNull();
});

test('a new record that meets one of the same thing was made from nothing', async () => {
  const store = await open(new MemoryStorage());
  await putEntries(store, { a: { mirror: mirrorWith(THEIRS ?? {}) } });
  await set(store, 'a', { ...waiting, mirror: mirrorWith(THEIRS ?? {}) });
  expect(store.state.conflicts).toBe(1);
  expect(await undecidedIds(store, null, 10)).toEqual(['a']);
  expect(await baseOf(store, 'a', pause)).toBeNull();
});

test('an app that goes on editing has not decided', async () => {
  const store = await open(new MemoryStorage());
  await conflict(store);
  const [before = NO_ENTRY] = await store.load(['a']);
  const transaction = store.begin();
  setLocal(transaction, 'a', before, { id: 'a', text: 'edited' }, 5_000);
  await transaction.commit();
  const [{ local } = NO_ENTRY] = await store.load(['a']);
  expect(local).toMatchObject({ body: { text: 'edited' }, tries: UNDECIDED_TRIES });
  expect(store.state.conflicts).toBe(1);
  expect(await baseOf(store, 'a', pause)).toEqual(BASE);
});

test('a repair counts them again and keeps what they were made from', async () => {
  const storage = new MemoryStorage();
  const store = await open(storage);
  for (const id of ['a', 'b', 'c']) await conflict(store, id);
  // Of one the change is lost, and so is its conflict.
  await storage.commit([[store.keys.outbox('b'), 'c nonsense\n{}']]);
  const clock = { pause, nowMs: () => 9_000, sleep: async () => undefined };
  expect(await mendCollection(store, { clock })).toMatchObject({ lost: ['b'] });
  expect(store.state.conflicts).toBe(2);
  expect(await baseOf(store, 'c', pause)).toEqual(BASE);
});

test('a base that cannot be read counts as none, and holds nobody up', async () => {
  const storage = new MemoryStorage();
  const store = await open(storage);
  await conflict(store);
  await storage.commit([[baseKey(store.keys, 'a'), new Uint8Array(90)]]);
  expect(await baseOf(store, 'a', pause)).toBeNull();
});

test('they are told in pages, in the order of their keys', async () => {
  const store = await open(new MemoryStorage());
  for (const id of ['c', 'a!', 'a', '%25', 'b']) await conflict(store, id);
  const ids: string[] = [];
  for (let after: string | null = null; ; after = ids[ids.length - 1] ?? null) {
    const page = await undecidedIds(store, after, 2);
    if (page.length === 0) break;
    ids.push(...page);
  }
  expect(ids.sort()).toEqual(['%25', 'a', 'a!', 'b', 'c']);
});
