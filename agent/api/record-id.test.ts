import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import {
  audit,
  listAll,
  mirrorWith,
  openTestStore,
  putEntries,
  testPass,
} from '../../test/support/store.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { generic } from '../collections/generic.ts';
import { passwords } from '../collections/passwords.ts';
import { WRITTEN_CHARS_MAX } from '../limits.ts';
import { isHashedId, isKintoId, recordIds, withIds } from '../remotes/ids.ts';
import { bookmarks } from './folders.ts';
import { deleteRecord, getRecord, listRecords, putRecord } from './records.ts';

const RULES = { charsMax: 2_048, isLegal: isKintoId };
const LONG = `https://app.test/${'a'.repeat(2_031)}`;
const login = { origin: 'https://a.test', formActionOrigin: 'https://a.test', password: 'p' };

function named<T extends Collection>(collection: T): T {
  return withIds(collection, recordIds(RULES, new Uint8Array(32).fill(3), collection.name));
}

async function setUp(kind: Collection) {
  const storage = new MemoryStorage();
  const collection = named(kind);
  const store = await openTestStore(storage, collection);
  const { platform } = testPass(store);
  const writable = { store, self: null, recordCharsMax: WRITTEN_CHARS_MAX };
  const deleted: string[] = [];
  return {
    store,
    deleted,
    wireId: (id: string) => collection.ids?.wireId(id) ?? '',
    put: async (record: Body) =>
      (await putRecord(writable, platform, record, (id) => deleted.push(id))).id,
    remove: (id: string) => deleteRecord(store, platform, id, null, (other) => deleted.push(other)),
    get: (id: string) => getRecord(store, id),
    complaints: () => audit(storage, collection),
  };
}

describe('records whose ids their remote does not take', () => {
  test('are put, found, listed, changed and deleted by them', async () => {
    const set = await setUp(generic('apps'));
    expect(await set.put({ id: LONG, n: 1 })).toBe(LONG);
    expect(await set.put({ guid: 'plain', n: 2 })).toBe('plain');
    expect(await set.get(LONG)).toEqual({ id: LONG, n: 1 });
    expect(await set.put({ id: LONG, n: 3 })).toBe(LONG);
    expect(await listAll(set.store)).toEqual(
      expect.arrayContaining([
        { id: LONG, n: 3 },
        { id: 'plain', n: 2 },
      ]),
    );
    expect(await listAll(set.store, { prefix: 'https://app.test/' })).toEqual([{ id: LONG, n: 3 }]);
    expect(await set.store.pendingIds(null, 9)).toEqual([set.wireId(LONG), 'plain'].sort());
    await set.remove(LONG);
    expect(await set.get(LONG)).toBeNull();
    await expect(set.remove(LONG)).rejects.toMatchObject({
      code: 'notFound',
      detail: { recordId: LONG },
    });
    expect(await set.complaints()).toEqual([]);
  });

  test('have them in what is sealed for the server, and the wire id nowhere in it', async () => {
    const { store, put, wireId } = await setUp(generic('apps'));
    await put({ id: LONG, n: 1 });
    const [entry] = await store.load([wireId(LONG)]);
    const body = entry?.local?.body as Body;
    expect(body).toEqual({ id: LONG, n: 1 });
    expect(store.collection.outgoing(wireId(LONG), body)).toEqual({ id: LONG, n: 1 });
  });

  test('keep them through any number of edits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, unit: 'grapheme' }),
        fc.integer(),
        async (id, n) => {
          // A collection of its own: short ids come twice, and an edit keeps what was there.
          const { put, get } = await setUp(generic('apps'));
          expect(await put({ id, n })).toBe(id);
          expect(await get(id)).toEqual({ id, n });
          const { id: _, ...rest } = (await get(id)) as Body;
          expect(await put({ ...rest, guid: id, m: 1 })).toBe(id);
          expect(await get(id)).toEqual({ id, n, m: 1 });
        },
      ),
    );
  });

  test('may be new: a login gets its {uuid}, and has it when it is put again', async () => {
    const { put, get, store, wireId } = await setUp(passwords);
    const id = await put(login);
    expect(id).toMatch(/^\{[0-9a-f-]{36}\}$/);
    expect(isHashedId(wireId(id))).toBe(true);
    expect(await store.pendingIds(null, 9)).toEqual([wireId(id)]);
    expect(await get(id)).toMatchObject({ guid: id, origin: 'https://a.test' });
    expect(await put({ ...login, password: 'q' })).toBe(id);
    expect(await get(id)).toMatchObject({ guid: id, password: 'q' });
  });

  test('are named by them when they go along with another', async () => {
    const { store, put, remove, deleted, wireId } = await setUp(passwords);
    const first = await put(login);
    const [entry] = await store.load([wireId(first)]);
    const twin = { ...entry?.local?.body, id: '{twin}' };
    await putEntries(store, { [wireId('{twin}')]: { mirror: mirrorWith(twin) } });
    await remove(first);
    expect(deleted).toEqual(['{twin}']);
  });

  test('lie in folders under them', async () => {
    const { store, wireId } = await setUp(bookmarks);
    const folder = { id: '-folder', type: 'folder', parentid: 'menu', children: ['_b', 'c', '?d'] };
    const child = (id: string) => ({ id, type: 'bookmark', parentid: '-folder', bmkUri: id });
    const bodies = [folder, child('_b'), child('c'), child('?d'), child('_unnamed')];
    await putEntries(
      store,
      Object.fromEntries(bodies.map((body) => [wireId(body.id), { mirror: mirrorWith(body) }])),
    );
    expect(isHashedId(wireId('-folder'))).toBe(true);
    const guids: unknown[] = [];
    for (let after: string | null = null; ; ) {
      const { records, next } = await listRecords(store, { parent: '-folder', limit: 2, after });
      guids.push(...records.map(({ guid }) => guid));
      if (next === null) break;
      after = next;
    }
    expect(guids).toEqual(['_b', 'c', '?d', '_unnamed']);
  });
});

test.each([
  ['an empty text', ''],
  ['a text of 2,049 characters', 'x'.repeat(2_049)],
  ['half a surrogate pair', '\ud800'],
  ['a number', 7],
])('%s is no id: it is refused, and nothing is written', async (_, id) => {
  const { put, get, remove, store } = await setUp(generic('apps'));
  const refusal = { code: 'badInput', message: 'id: not a text of 1 to 2048 characters' };
  await expect(put({ id })).rejects.toMatchObject(refusal);
  await expect(get(id as string)).rejects.toMatchObject(refusal);
  await expect(remove(id as string)).rejects.toMatchObject(refusal);
  expect(store.state.pending).toBe(0);
});
