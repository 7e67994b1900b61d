import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { mirrorOf, openTestStore, page, testVault } from '../../test/support/store.ts';
import type { Collection } from '../collections/collection.ts';
import { history } from '../collections/history.ts';
import { passwords } from '../collections/passwords.ts';
import { NO_ENTRY } from './record.ts';

describe('a value that was damaged', () => {
  const login = { hostname: 'https://a', password: 'p' };

  test.each<[string, Collection, (value: string | Uint8Array) => string | Uint8Array]>([
    ['text cut short', history, (value) => value.slice(0, -2)],
    ['text without its head', history, () => '{}'],
    ['a sealed one cut short', passwords, (value) => value.slice(0, -2)],
    ['a sealed one of nothing', passwords, () => new Uint8Array(0)],
    ['a head of another form', history, (value) => `x${value}`],
    ['text that is no object', history, () => 'b1 0\nnull'],
  ])('%s: is told by name, and spoils no other', async (_, collection, damage) => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, collection);
    const transaction = store.begin();
    const body = collection === history ? page('https://a/', 1) : login;
    for (const id of ['a', 'b']) {
      transaction.set(id, NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(body) });
    }
    await transaction.commit();
    const key = store.keys.record('a');
    const [value] = await storage.get([key]);
    await storage.commit([[key, damage(value ?? '')]]);
    await expect(store.load(['b', 'a'])).rejects.toMatchObject({
      code: 'damaged',
      detail: { stored: 'mirror', collection: collection.name, recordId: 'a' },
    });
    const [b] = await store.load(['b']);
    expect(b?.mirror?.body).toEqual(body);
  });

  test('everything sealed is damaged when the device has another key', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, passwords);
    const transaction = store.begin();
    transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(login) });
    await transaction.commit();
    const elsewhere = await openTestStore(storage, passwords, testVault(new Uint8Array(32)));
    await expect(elsewhere.load(['a'])).rejects.toMatchObject({ code: 'damaged' });
  });

  test('may be a local change too, which is never taken for none', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    await storage.commit([[store.keys.outbox('a'), 'b1 1\n{}']]);
    await expect(store.load(['a'])).rejects.toMatchObject({
      message: 'history, record a: the stored outbox is not what was written',
      detail: { stored: 'outbox', collection: 'history', recordId: 'a' },
    });
  });
});
