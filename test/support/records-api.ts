import { expect } from 'vitest';
import { deleteRecord, getRecord, putRecord } from '../../agent/api/records.ts';
import type { Body, Collection } from '../../agent/collections/collection.ts';
import { history } from '../../agent/collections/history.ts';
import { WRITTEN_CHARS_MAX } from '../../agent/limits.ts';
import type { Entry } from '../../agent/store/record.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { mirrorWith, openTestStore, pageBody, putEntries, testPass } from './store.ts';

export const ANYBODY = { self: null, recordCharsMax: WRITTEN_CHARS_MAX };

export async function setUp(collection: Collection = history) {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, collection);
  const { platform } = testPass(store);
  platform.clock.nowMs = () => 1_795_330_000_000;
  return {
    storage,
    store,
    platform,
    put: async (record: unknown) =>
      (await putRecord({ store, ...ANYBODY }, platform, record as Body)).id,
    remove: (id: unknown) => deleteRecord(store, platform, id as string, null),
    get: (id: unknown) => getRecord(store, id as string),
  };
}

/** Pages with these addresses, the first one newest. */
export async function withPages(urls: readonly string[]) {
  const set = await setUp();
  const entries = urls.map((url, at): [string, Partial<Entry>] => [
    `page${`${at}`.padStart(8, '0')}`,
    { mirror: mirrorWith(pageBody(urls.length - at, url)) },
  ]);
  await putEntries(set.store, Object.fromEntries(entries));
  return set;
}

export const urlsOf = (records: readonly Body[]): unknown[] => records.map(({ url }) => url);
export const login = {
  origin: 'https://a.test',
  formActionOrigin: 'https://a.test',
  password: 'p',
};

export const badInput = (text: string) =>
  expect.objectContaining({ code: 'badInput', message: expect.stringContaining(text) });
