import { beforeEach, describe, expect, it, test } from 'vitest';
import {
  changedBetween,
  deviceNames,
  recordsOf,
  samplePages,
  serverBodies,
  serverHoldings,
  storedCount,
} from './server-records.ts';
import { Store } from './servers/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { accountKeys, type KeyPair, keyFingerprint, sealPayload } from './servers/sync-keys.ts';
import { TEST_KB, TEST_NOW_MS } from './servers/testing.ts';

const IV = new Uint8Array(16).fill(1);
const pairOf = (fill: number): KeyPair => ({
  encKey: Buffer.alloc(32, fill),
  macKey: Buffer.alloc(32, fill + 1),
});
const base64 = ({ encKey, macKey }: KeyPair) => [
  encKey.toString('base64'),
  macKey.toString('base64'),
];
const [DEFAULT, OWN] = [pairOf(3), pairOf(5)];

/** An account; `put` writes records, sealed under the keys of all collections or other ones. */
function accountWith(collections: { [name: string]: string[] } = {}) {
  const store = new Store();
  const user = store.addUser(keyFingerprint(TEST_KB));
  const account: SeedAccount = { kB: TEST_KB, store };
  const write = (name: string, id: string, payload: string, ttl?: number) =>
    user.write(name, [{ id, payload, ...(ttl !== undefined && { ttl }) }], TEST_NOW_MS);
  const put = (name: string, id: string, body: unknown, keys = DEFAULT) =>
    write(name, id, sealPayload(keys, JSON.stringify(body), IV));
  put('crypto', 'keys', { default: base64(DEFAULT), collections }, accountKeys(TEST_KB));
  return { account, user, write, put };
}

const page = (id: string, more: object = {}) => ({
  ...{ id, histUri: `https://${id}.example/`, title: id },
  ...{ visits: [{ date: 1_500_000_000_000_000, type: 1 }], ...more },
});
const login = (id: string) => ({
  ...{ id, hostname: `https://${id}.example`, formSubmitURL: '', httpRealm: null },
  ...{ username: 'u', password: 'p', usernameField: '', passwordField: '' },
  ...{ timeCreated: 1, timePasswordChanged: 2 },
});
const A = 'aaaaaaaaaaaa';
const B = 'bbbbbbbbbbbb';

let at: ReturnType<typeof accountWith>;
beforeEach(() => {
  at = accountWith();
});
const holdings = () => serverHoldings(at.account, TEST_NOW_MS + 1_000);

describe('what the server holds', () => {
  it('is the pages and logins that a device shows', () => {
    at.put('history', A, page(A));
    at.put('passwords', '{1}', login('{1}'));
    const { history, logins } = holdings();
    expect(history.map(({ url }) => url)).toEqual([`https://${A}.example/`]);
    expect(logins.map(({ origin }) => origin)).toEqual(['https://{1}.example']);
  });

  test.each<[string, (put: typeof at) => void]>([
    ['is deleted', ({ put }) => put('history', A, { id: A, deleted: true })],
    ['is another one inside', ({ put }) => put('history', A, page(B))],
    ['is sealed under another key', ({ put }) => put('history', A, page(A), OWN)],
    ['is no sealed object', ({ write }) => write('history', A, 'text')],
    ['is a list inside', ({ put }) => put('history', A, [])],
    ['is past its time', ({ write }) => write('history', A, sealPayload(DEFAULT, '{}', IV), 0)],
    [
      'has a flipped bit',
      ({ write }) => write('history', A, sealPayload(DEFAULT, '{}', IV).replace('"hmac":"', '$&0')),
    ],
  ])('is without a record that %s', (_, change) => {
    change(at);
    expect(holdings()).toEqual({ history: [], logins: [] });
  });

  it('is nothing for an account that no user of the store has', () => {
    at.put('history', A, page(A));
    const other = { ...at.account, kB: 'cd'.repeat(32) };
    expect(serverHoldings(other, TEST_NOW_MS)).toEqual({ history: [], logins: [] });
    expect(storedCount(other, 'history', TEST_NOW_MS)).toBe(0);
    expect(samplePages(other, 5, TEST_NOW_MS)).toEqual([]);
  });

  it('is opened with the keys of its collection, where that has some', () => {
    at = accountWith({ recipes: base64(OWN) });
    at.put('recipes', A, { id: A, text: 'cake' }, OWN);
    at.put('recipes', B, { id: B, text: 'sealed as others are' });
    expect(serverBodies(at.account, 'recipes', TEST_NOW_MS)).toEqual([{ id: A, text: 'cake' }]);
    expect(deviceNames(at.account, TEST_NOW_MS)).toEqual([]);
    at.put('clients', A, { id: A, name: 'pc', type: 'desktop' });
    expect(deviceNames(at.account, TEST_NOW_MS)).toEqual(['pc']);
  });
});

describe('the records of a collection', () => {
  it('are all of them, tombstones and those that do not open too', () => {
    at.put('history', A, page(A));
    at.write('history', B, 'text');
    at.put('history', 'cccccccccccc', { id: 'cccccccccccc', deleted: true });
    const all = [...recordsOf(at.account, 'history', TEST_NOW_MS)];
    expect(all.map(({ id, body }) => [id, body === null])).toEqual([
      [A, false],
      [B, true],
      ['cccccccccccc', false],
    ]);
    expect(all[1]).toMatchObject({ payloadChars: 4, modifiedMs: expect.any(Number) });
    expect(storedCount(at.account, 'history', TEST_NOW_MS)).toBe(3);
    const some = [...recordsOf(at.account, 'history', TEST_NOW_MS, [B, 'none'])];
    expect(some.map(({ id }) => id)).toEqual([B]);
  });
});

describe('what has changed between two views of an account', () => {
  it('are the ids and the addresses of what was written, deleted or new', () => {
    const before = accountWith();
    const after = accountWith();
    for (const [name, id] of [
      ['history', A],
      ['history', B],
      ['passwords', '{1}'],
    ] as const) {
      for (const view of [before, after])
        view.put(name, id, name === 'history' ? page(id) : login(id));
    }
    const names = ['history', 'passwords', 'forms'];
    const changed = () => changedBetween(before.account, after.account, names, TEST_NOW_MS);
    expect([changed().ids.size, changed().addresses.size]).toEqual([0, 0]);
    after.put('history', A, page(A, { histUri: 'https://moved.example/' }));
    after.user.deleteRecords('passwords', ['{1}'], TEST_NOW_MS);
    after.write('history', 'cccccccccccc', 'text');
    expect([...changed().ids].sort()).toEqual([A, 'cccccccccccc', '{1}']);
    expect([...changed().addresses].sort()).toEqual([
      `https://${A}.example/`,
      'https://moved.example/',
      'https://{1}.example',
    ]);
    // One and the same view is not looked at.
    const same = changedBetween(after.account, after.account, names, TEST_NOW_MS);
    expect(same.ids.size).toBe(0);
  });
});

describe('a sample of pages', () => {
  it('is spread evenly, and has none twice', () => {
    for (let at10 = 10; at10 < 20; at10++) at.put('history', `page${at10}`, page(`page${at10}`));
    const ids = (count: number) =>
      samplePages(at.account, count, TEST_NOW_MS).map(({ guid }) => guid.slice(4));
    expect(ids(5)).toEqual(['10', '12', '14', '16', '18']);
    expect(ids(100)).toHaveLength(10);
    expect(ids(0)).toEqual([]);
  });

  it('passes over what is no page', () => {
    at.put('history', A, { id: A, deleted: true });
    at.put('history', B, page(B, { visits: [] }));
    at.write('history', 'cccccccccccc', 'text');
    expect(samplePages(at.account, 10, TEST_NOW_MS)).toEqual([]);
  });
});
