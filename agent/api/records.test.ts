import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import {
  ANYBODY,
  badInput,
  login,
  setUp,
  urlsOf,
  withPages,
} from '../../test/support/records-api.ts';
import {
  audit,
  listAll,
  localWith,
  mirrorWith,
  openTestStore,
  pageBody,
  putEntries,
  testPass,
} from '../../test/support/store.ts';
import type { Body } from '../collections/collection.ts';
import { history } from '../collections/history.ts';
import { passwords } from '../collections/passwords.ts';
import { LIST_CHARS_MAX, LIST_MAX, WRITTEN_CHARS_MAX } from '../limits.ts';
import type { Entry } from '../store/record.ts';
import { getRecord, listRecords, putRecord } from './records.ts';

describe('a list', () => {
  const urls = Array.from({ length: 7 }, (_, n) => `https://a.test/${n}`);

  test('loads few records at a time while they are long, more where they are short', async () => {
    const loadedFor = async (chars: number): Promise<number[]> => {
      const long = Array.from({ length: 40 }, (_, n) => `https://a.test/${n}?${'x'.repeat(chars)}`);
      const { store, storage } = await withPages(long);
      const counts: number[] = [];
      const { get } = storage;
      storage.get = (keys) => {
        counts.push(keys.length / 2);
        return get.call(storage, keys);
      };
      await listRecords(store, { limit: 40 });
      return counts;
    };
    expect(Math.max(...(await loadedFor(9_000)))).toBe(1);
    expect(Math.max(...(await loadedFor(10)))).toBeGreaterThan(8);
  });

  test('without a prefix has the newest first', async () => {
    const { store } = await withPages(urls);
    const { records, next } = await listRecords(store, { limit: 9 });
    expect(urlsOf(records)).toEqual(urls);
    expect(next).toBeNull();
  });

  test.each([1, 2, 3, 7, 8])('goes on where it ended, %i at a time', async (limit) => {
    const { store } = await withPages(urls);
    expect(urlsOf(await listAll(store, { limit }))).toEqual(urls);
    expect(urlsOf(await listAll(store, { limit, prefix: 'https://a.test/' }))).toEqual(urls);
  });

  test('goes on though the record where it ended is gone, and shows none twice', async () => {
    const { store, remove, put } = await withPages(urls);
    const first = await listRecords(store, { limit: 3 });
    await remove('page00000002');
    await put({ url: 'https://a.test/new', visits: [{ date: 1_795_300_000_000_000, type: 1 }] });
    const rest = await listRecords(store, { limit: 9, after: first.next });
    expect(urlsOf(rest.records)).toEqual(urls.slice(3));
  });

  test('shows neither deleted records nor pages without visits', async () => {
    const { store } = await setUp();
    await putEntries(store, {
      seen: { mirror: mirrorWith(pageBody(1)) },
      deleted: { mirror: mirrorWith(pageBody(2)), local: localWith(null) },
      emptied: { mirror: mirrorWith({ ...pageBody(3), visits: [] }) },
    });
    expect(urlsOf(await listAll(store))).toEqual([pageBody(1).histUri]);
    expect(await getRecord(store, 'emptied')).toBeNull();
    expect(await getRecord(store, 'deleted')).toBeNull();
  });

  test('shows a local edit in place of what it changes', async () => {
    const { store } = await setUp();
    const edited = { ...pageBody(1), title: 'mine' };
    const entry = { mirror: mirrorWith(pageBody(1)), local: localWith(edited) };
    await putEntries(store, { a: entry });
    expect(await listAll(store)).toMatchObject([{ title: 'mine' }]);
  });

  test.each([0, -1, 1.5, LIST_MAX + 1, '7', null, Number.NaN])(
    'of %j records is refused',
    async (limit) => {
      const { store } = await setUp();
      const listed = listRecords(store, { limit: limit as number });
      await expect(listed).rejects.toEqual(badInput(`limit: not an integer from 1 to ${LIST_MAX}`));
    },
  );

  test('by a prefix that is no text is refused', async () => {
    const { store } = await setUp();
    const listed = listRecords(store, { limit: 1, prefix: 7 as never });
    await expect(listed).rejects.toEqual(badInput('prefix:'));
  });

  test('goes on at places of its own only: no app reads other keys', async () => {
    const { store } = await withPages(urls);
    const { next } = await listRecords(store, { limit: 1 });
    const places = ['', '0', 's', store.keys.record(), `${next}é`, `${next}${'x'.repeat(240)}`, 7];
    for (const after of places) {
      const listed = listRecords(store, { limit: 9, after: after as string });
      await expect(listed, `${after}`).rejects.toEqual(badInput('after:'));
    }
    const other = listRecords(store, { limit: 9, prefix: 'https://a.test/', after: next });
    await expect(other).rejects.toEqual(badInput('after:'));
  });
});

describe('a list that would be long', () => {
  const titled = (n: number, chars: number): Body => ({ ...pageBody(n), title: 'x'.repeat(chars) });

  test('ends early and tells where it goes on', async () => {
    const { store } = await setUp();
    const entries = Array.from({ length: 40 }, (_, n): [string, Partial<Entry>] => [
      `page${n}`,
      { mirror: mirrorWith(titled(n, 4_000)) },
    ]);
    await putEntries(store, Object.fromEntries(entries));
    const first = await listRecords(store, { limit: 1_000 });
    expect(JSON.stringify(first.records).length).toBeLessThanOrEqual(LIST_CHARS_MAX + 1_000);
    expect(first.records.length).toBeGreaterThan(10);
    expect(first.next).not.toBeNull();
    const all = await listAll(store);
    expect(all.map(({ guid }) => guid)).toEqual(entries.map(([id]) => id).reverse());
  });

  test('has at least one record, however long that is', async () => {
    const { store } = await setUp();
    const [long, short] = [titled(2, LIST_CHARS_MAX * 2), titled(1, 1)];
    await putEntries(store, {
      long: { mirror: mirrorWith(long) },
      a: { mirror: mirrorWith(short) },
    });
    const first = await listRecords(store, { limit: 9 });
    expect(first.records.map(({ guid }) => guid)).toEqual(['long']);
    const second = await listRecords(store, { limit: 9, after: first.next });
    expect(second.records.map(({ guid }) => guid)).toEqual(['a']);
  });

  test('is read a portion at a time', async () => {
    const { store, storage } = await withPages(
      Array.from({ length: 300 }, (_, n) => `https://a.test/${n}`),
    );
    let mostKeys = 0;
    const { get } = storage;
    storage.get = (keys) => {
      mostKeys = Math.max(mostKeys, keys.length);
      return get.call(storage, keys);
    };
    expect((await listRecords(store, { limit: 300 })).records).toHaveLength(300);
    expect(mostKeys).toBeLessThanOrEqual(100);
  });
});

describe('a search by the start of an address', () => {
  test('finds all addresses that start like that, and no other', async () => {
    const unit = fc.constantFrom(
      'a',
      'b',
      '/',
      'é',
      'ä',
      '\u0e9a',
      '\u{1f9a6}',
      '%',
      '!',
      '~',
      ' ',
    );
    const url = fc.string({ unit, maxLength: 70 }).map((tail) => `https://a${tail}`);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(url, { maxLength: 8 }),
        fc.nat(90),
        fc.nat(7),
        async (addresses, chars, which) => {
          const prefix = (addresses[which % addresses.length] ?? 'https://b').slice(0, chars);
          const { store } = await withPages(addresses);
          const found = urlsOf(await listAll(store, { prefix, limit: 3 }));
          const expected = addresses.filter((address) => address.startsWith(prefix));
          expect([...found].sort()).toEqual([...expected].sort());
        },
      ),
      { numRuns: 80 },
    );
  });

  test('may be longer than any key: what is found is exact', async () => {
    const long = `https://a.test/${'x'.repeat(300)}`;
    const { store } = await withPages([`${long}1`, `${long}2`, long]);
    expect(urlsOf(await listAll(store, { prefix: `${long}1` }))).toEqual([`${long}1`]);
    expect(urlsOf(await listAll(store, { prefix: `${long}1x` }))).toEqual([]);
    expect(urlsOf(await listAll(store, { prefix: long }))).toHaveLength(3);
  });

  test('without anything finds everything', async () => {
    const { store } = await withPages(['https://b/', 'https://a/']);
    expect(urlsOf(await listAll(store, { prefix: '' }))).toEqual(['https://a/', 'https://b/']);
  });
});

describe('a put', () => {
  test('creates a record under a new id, durable and on its way up', async () => {
    const { storage, store, put, get } = await setUp();
    const id = await put({ url: 'https://a.test/', title: 'A' });
    expect(id).toMatch(/^[\w-]{12}$/);
    expect(await get(id)).toMatchObject({ guid: id, url: 'https://a.test/', title: 'A' });
    const reopened = await openTestStore(storage.fork(), history);
    expect(reopened.state).toMatchObject({ held: 1, pending: 1, seq: 1 });
    expect(await store.pendingIds(null, 9)).toEqual([id]);
    expect(await audit(storage, history)).toEqual([]);
  });

  test('without an id changes the record that means the same', async () => {
    const { store, put } = await setUp(passwords);
    const id = await put({ ...login, username: 'me' });
    expect(await put({ ...login, username: 'me', password: 'new' })).toBe(id);
    expect(await put({ ...login, username: 'you' })).not.toBe(id);
    expect(store.state.held).toBe(2);
    expect(await listAll(store, { prefix: 'https://a.test' })).toEqual(
      expect.arrayContaining([expect.objectContaining({ guid: id, password: 'new' })]),
    );
  });

  test('with an id changes that record, and creates it if there is none', async () => {
    const { put, get } = await setUp(passwords);
    const guid = '{01234567-89ab-4cde-8f01-23456789abcd}';
    expect(await put({ ...login, guid })).toBe(guid);
    expect(await put({ guid, password: 'new' })).toBe(guid);
    expect(await get(guid)).toMatchObject({ origin: 'https://a.test', password: 'new' });
  });

  test('brings a deleted record back', async () => {
    const { store, put, remove, get } = await setUp();
    await putEntries(store, { AAAAAAAAAAAA: { mirror: mirrorWith(pageBody(1)) } });
    await remove('AAAAAAAAAAAA');
    await put({ guid: 'AAAAAAAAAAAA', url: 'https://example.com/1' });
    expect(await get('AAAAAAAAAAAA')).toMatchObject({ url: 'https://example.com/1' });
    expect(store.state).toMatchObject({ held: 1, pending: 1 });
  });

  test('that changes nothing writes nothing', async () => {
    const { storage, store, put } = await setUp(passwords);
    const id = await put({ ...login, username: 'me' });
    const before = storage.commits;
    expect(await put({ ...login, username: 'me' })).toBe(id);
    expect(await put({ guid: id, password: 'p' })).toBe(id);
    expect([storage.commits, store.state.seq]).toEqual([before, 1]);
  });

  test('numbers every change, so that an acknowledgement is for one of them', async () => {
    const { store, put } = await setUp();
    const id = await put({ url: 'https://a.test/', title: '1' });
    await put({ guid: id, title: '2' });
    expect((await store.load([id]))[0]?.local).toMatchObject({ seq: 2, tries: 0 });
    expect(store.state).toMatchObject({ seq: 2, pending: 1 });
  });

  test('at the same time as another loses none of them', async () => {
    const { storage, store, put } = await setUp();
    const urls = Array.from({ length: 9 }, (_, n) => `https://a.test/${n}`);
    await Promise.all(urls.map((url) => put({ url })));
    await Promise.all([put({ url: urls[0], title: 'a' }), put({ url: urls[0], title: 'b' })]);
    expect(store.state).toMatchObject({ held: 9, pending: 9 });
    expect(await audit(storage, history)).toEqual([]);
  });

  test('of a record that is too long says how long it may be', async () => {
    const { put, store } = await setUp(passwords);
    const long = put({ ...login, password: 'x'.repeat(WRITTEN_CHARS_MAX) });
    await expect(long).rejects.toMatchObject({
      code: 'tooLarge',
      message: expect.stringMatching(new RegExp(`\\d+ characters, at most ${WRITTEN_CHARS_MAX}`)),
    });
    expect(store.state).toMatchObject({ held: 0, pending: 0 });
  });

  test.each<[string, unknown, string]>([
    ['a record that is none', null, 'record:'],
    ['a list', [], 'record:'],
    ['a text', 'x', 'record:'],
    ['an empty id', { ...login, id: '' }, 'id:'],
    ['an id that is no text', { ...login, guid: 7 }, 'id:'],
    ['a login without a password', { ...login, password: '' }, 'password:'],
    ['a login without an origin', { password: 'p' }, 'origin'],
  ])('of %s is refused, the field is named', async (_, record, field) => {
    const { storage, put } = await setUp(passwords);
    await expect(put(record)).rejects.toEqual(badInput(field));
    expect(storage.commits).toBe(0);
  });

  test('that finds no room says so, and leaves no trace', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    const { platform } = testPass(store);
    storage.commit = async () => {
      throw Object.assign(new Error('x'), { code: 'full' });
    };
    const put = putRecord({ store, ...ANYBODY }, platform, {
      url: 'https://a.test/',
      visits: [{ date: 9e14, type: 1 }],
    });
    await expect(put).rejects.toMatchObject({ code: 'storageFull' });
    expect(store.state).toMatchObject({ held: 0, pending: 0, seq: 0 });
    expect(await listAll(store)).toEqual([]);
  });
});

describe('a deletion', () => {
  test('is durable and on its way up', async () => {
    const { storage, store, remove, get } = await setUp();
    await putEntries(store, { a: { mirror: mirrorWith(pageBody(1)) } });
    await remove('a');
    expect(await get('a')).toBeNull();
    expect(store.state).toMatchObject({ held: 0, pending: 1, seq: 1 });
    expect((await store.load(['a']))[0]).toMatchObject({ local: { body: null, seq: 1 } });
    expect(await audit(storage, history)).toEqual([]);
  });

  test.each(['a', '__proto__'])('of a record that is not there is refused: %s', async (id) => {
    const { remove } = await setUp();
    await expect(remove(id)).rejects.toMatchObject({
      code: 'notFound',
      detail: { collection: 'history', recordId: id },
    });
  });

  test('of a deleted record is refused, too', async () => {
    const { store, remove } = await setUp();
    await putEntries(store, { a: { mirror: mirrorWith(pageBody(1)) } });
    await remove('a');
    await expect(remove('a')).rejects.toMatchObject({ code: 'notFound' });
  });

  test('and a get of what is no id are refused', async () => {
    const { remove, get } = await setUp();
    for (const id of ['', 'é', 'x'.repeat(65), undefined, {}]) {
      await expect(remove(id)).rejects.toEqual(badInput('id:'));
      await expect(get(id)).rejects.toEqual(badInput('id:'));
    }
  });
});

test('a get gives what apps see, under names that were never seen too', async () => {
  const { get, store } = await setUp();
  await putEntries(store, { __proto__x: { mirror: mirrorWith(pageBody(1)) } });
  expect(await get('__proto__x')).toMatchObject({ guid: '__proto__x', title: '1' });
  expect(await get('__proto__')).toBeNull();
});
