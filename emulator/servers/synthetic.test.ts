import { createDecipheriv, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Bso, Collection } from './store.ts';
import { dumpStore, readAccount } from './store-file.ts';
import { accountKeys, type KeyPair } from './sync-keys.ts';
import { type SyntheticOptions, syntheticAccount } from './synthetic.ts';

const NOW_MS = Date.UTC(2026, 10, 22);

function open(keys: KeyPair, payload: string) {
  const { ciphertext, IV, hmac } = JSON.parse(payload);
  expect(createHmac('sha256', keys.macKey).update(ciphertext).digest('hex')).toBe(hmac);
  const cipher = createDecipheriv('aes-256-cbc', keys.encKey, Buffer.from(IV, 'base64'));
  const bytes = Buffer.concat([cipher.update(ciphertext, 'base64'), cipher.final()]);
  return { text: bytes.toString('utf8'), json: JSON.parse(bytes.toString('utf8')) };
}

function made(options: SyntheticOptions) {
  const { kB, store } = syntheticAccount(options);
  const collection = (name: string) => store.users.get(1)?.collections.get(name) as Collection;
  const all = (name: string) => [...collection(name).inArrivalOrder(NOW_MS)];
  const [keyRecord] = all('crypto') as [Bso];
  const pair = open(accountKeys(kB), keyRecord.payload).json.default as [string, string];
  const [encKey, macKey] = pair.map((key) => Buffer.from(key, 'base64')) as [Buffer, Buffer];
  return { kB, store, collection, all, keys: { encKey, macKey } };
}

describe('a synthetic account', () => {
  const { all, collection, keys } = made({ records: 500, seed: 1 });

  test('holds history that a browser could have written', () => {
    const bodies = all('history').map((bso) => ({ bso, ...open(keys, bso.payload) }));
    for (const { bso, json } of bodies) {
      expect(json).toEqual({
        id: bso.id,
        histUri: expect.any(String),
        title: expect.any(String),
        visits: expect.any(Array),
      });
      expect(new URL(json.histUri).href).toBe(json.histUri);
      expect(json.visits.length).toBeGreaterThanOrEqual(1);
      expect(json.visits.length).toBeLessThanOrEqual(5);
      for (const { date, type } of json.visits) {
        expect(Number.isSafeInteger(date) && date < bso.modifiedMs * 1000).toBe(true);
        expect([1, 2, 3, 5, 6]).toContain(type);
      }
    }
    expect(new Set(bodies.map(({ json }) => json.histUri)).size).toBe(500);
  });

  test('holds records of the promised sizes', () => {
    const sizes = all('history').map((bso) => ({
      clear: Buffer.byteLength(open(keys, bso.payload).text),
      sealed: bso.payload.length,
    }));
    const average = (of: (size: { clear: number; sealed: number }) => number) =>
      sizes.reduce((sum, size) => sum + of(size), 0) / sizes.length;
    for (const { clear } of sizes) expect(clear >= 700 && clear <= 1000).toBe(true);
    expect(Math.abs(average(({ clear }) => clear) - 850)).toBeLessThan(15);
    expect(Math.abs(average(({ sealed }) => sealed) - 1270)).toBeLessThan(30);
    const small = made({ records: 50, seed: 1, bodyBytes: 500 });
    expect(open(small.keys, small.all('history')[7]?.payload ?? '').text.length).toBeLessThan(660);
  });

  test('stamps 100 records at once, as uploads do, and none after the newest', () => {
    const stamps = all('history').map(({ modifiedMs }) => modifiedMs);
    expect(new Set(stamps).size).toBe(5);
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
    expect(stamps.at(-1)).toBe(collection('history').modifiedMs);
    expect(stamps.every((stamp) => stamp % 10 === 0)).toBe(true);
  });

  test('finds a record by its id, and none by another', () => {
    const history = collection('history');
    const ids = all('history').map(({ id }) => id);
    expect(new Set(ids).size).toBe(500);
    for (const id of ids) expect(id).toMatch(/^[\w-]{12}$/);
    expect(history.get(ids[123] ?? '', NOW_MS)?.payload).toBe(all('history')[123]?.payload);
    const beyond = made({ records: 501, seed: 1 }).all('history').at(-1)?.id ?? '';
    for (const id of [beyond, 'AAAAAAAAAAAA', 'x', '{guid}'])
      expect(history.get(id, NOW_MS)).toBeUndefined();
  });

  test('holds passwords, and lists its engines', () => {
    const logins = all('passwords').map((bso) => open(keys, bso.payload).json);
    expect(logins).toHaveLength(12);
    expect(logins[0]).toMatchObject({
      id: expect.stringMatching(/^\{[0-9a-f-]{36}\}$/),
      username: 'user0@example.com',
    });
    const global = JSON.parse(all('meta')[0]?.payload ?? '');
    expect(global).toMatchObject({ storageVersion: 5, engines: { history: {}, passwords: {} } });
  });

  test('is the same for the same seed, another for another, and can be shipped as a file', () => {
    const text = (seed: number) => {
      const { kB, store } = syntheticAccount({ records: 20, seed });
      return JSON.stringify({ kB, store: dumpStore(store, NOW_MS) });
    };
    expect(text(7)).toBe(text(7));
    expect(text(7)).not.toBe(text(8));
    const again = readAccount(JSON.parse(text(7)));
    expect(JSON.stringify({ kB: again.kB, store: dumpStore(again.store, NOW_MS) })).toBe(text(7));
  });

  test('may be larger than memory: nothing is made before it is asked for', () => {
    const { collection } = made({ records: 50_000_000, seed: 1 });
    expect(collection('history').count(NOW_MS)).toBe(50_000_000);
    expect(collection('history').oldestFirst(NOW_MS).at(49_999_999).payload).toContain(
      'ciphertext',
    );
  });

  test('may have no history at all', () => {
    expect(made({ records: 0, seed: 1 }).collection('history')).toBeUndefined();
  });
});
