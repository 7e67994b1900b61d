import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dumpStore, readAccount, readStore } from './store-file.ts';

const FIXTURE = new URL('../../test/fixtures/corpus-a.json', import.meta.url);
const corpus = JSON.parse(readFileSync(FIXTURE, 'utf8'));
const RECORDED_MS = Math.round(corpus.store.users[1].modified * 1000);

const store = (users: unknown) => ({ format: 'sync15-store', version: 1, users });
const user = (collections: unknown) =>
  store({ 1: { keyFingerprint: null, modified: 1, collections } });
const bso = (member: object) => ({ id: 'a', modified: 1.23, payload: 'p', ...member });

describe('an account file', () => {
  test("that Firefox's records are in dumps as it was loaded, letter for letter", () => {
    for (const part of [corpus, { kB: corpus.kB, store: corpus.first.store }]) {
      const account = readAccount(part);
      expect(account.kB).toBe(corpus.kB);
      const dumped = JSON.stringify(dumpStore(account.store, RECORDED_MS));
      expect(dumped).toBe(JSON.stringify(part.store));
    }
  });

  test('gives its key to a user without one', () => {
    const file = { kB: '00'.repeat(32), store: user({}) };
    expect(readAccount(file).store.users.get(1)?.keyFingerprint).toMatch(/^[\w-]{22}$/);
  });

  test.each([
    [null, 'the account is not an object'],
    [[], 'the account is not an object'],
    [{ kB: 'x', store: user({}) }, 'kB is not 64 hex digits'],
    [{ kB: '00'.repeat(32) }, 'store is not an object'],
    [{ ...corpus, kB: '00'.repeat(32) }, 'kB is not the key of any user in the store'],
  ])('%# is refused with one line', (file, why) => {
    expect(() => readAccount(file)).toThrow(`not a valid account file: ${why}`);
  });
});

describe('a store', () => {
  test.each([
    [{ format: 'other', version: 1, users: {} }, 'store is not a sync15-store of version 1'],
    [store([]), 'store.users is not an object'],
    [store({ x: {} }), 'store.users: "x" is not a user id'],
    [user([]), 'store.users.1.collections is not an object'],
    [user({ c: {} }), 'store.users.1.collections.c.bsos is not a list'],
    [
      user({ c: { modified: 'x', bsos: [] } }),
      'store.users.1.collections.c.modified is not a time in seconds',
    ],
    [
      user({ c: { modified: 1, bsos: [bso({ id: 1 })] } }),
      'store.users.1.collections.c.bsos[0].id is not text',
    ],
    [
      user({ c: { modified: 1, bsos: [bso({ payload: {} })] } }),
      'store.users.1.collections.c.bsos[0].payload is not text',
    ],
    [
      user({ c: { modified: 1, bsos: [bso({ ttl: 'x' })] } }),
      'store.users.1.collections.c.bsos[0].ttl is not an integer',
    ],
  ])('%# is refused with one line', (file, why) => {
    expect(() => readStore(file)).toThrow(`not a valid account file: ${why}`);
  });

  test('is dumped without what has expired', () => {
    const loaded = readStore(user({ c: { modified: 1.23, bsos: [bso({ ttl: 10 })] } }));
    const records = (nowMs: number) => dumpStore(loaded, nowMs).users[1]?.collections.c?.bsos;
    expect(records(11_229)).toEqual([{ id: 'a', modified: 1.23, payload: 'p', ttl: 10 }]);
    expect(records(11_230)).toEqual([]);
  });
});
