// `storage.sync` for the extensions of a device's browser: get, set, remove, clear, getBytesInUse,
// as WebExtensions have them. An extension is known by its id and sees its own items only. The
// items are in the collection `extension-storage`; its records are what is synced.

import { isObject } from '../../crypto/engine.ts';
import type { Platform } from '../../platform/ports.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { extensionStorage as records } from '../collections/extension-storage.ts';
import { itemBytes } from '../collections/item-bytes.ts';
import { isSameValue } from '../collections/members.ts';
import { badInput } from '../errors.ts';
import { findSame } from '../store/dupes.ts';
import type { CollectionStore } from '../store/store.ts';
import type { Core } from './core.ts';
import { ownIdOf } from './record-id.ts';

/** Null: all of them. An object: its keys, with the values of those that are not there. */
type Keys = string | readonly string[] | Body | null;

/** Errors: `badInput` names the key and the quota; `disabled`, `readOnly`, storage errors. */
export interface ExtensionStorage {
  get(keys?: Keys): Promise<Body>;
  /** All items or none. */
  set(items: Body): Promise<void>;
  remove(keys: string | readonly string[]): Promise<void>;
  clear(): Promise<void>;
  getBytesInUse(keys?: string | readonly string[] | null): Promise<number>;
  /** One of these, as the bridge has it. Errors: `badInput` for another one, too. */
  call(call: StorageCall): Promise<object>;
}

export interface StorageCall {
  readonly call: string;
  readonly keys?: string | readonly string[] | null;
  readonly items?: Body;
}

/** The collection, and what opens it for extensions: a build without it carries neither. */
export interface StorageCollection extends Collection {
  openStorage(core: Core, platform: Platform, extId: string): ExtensionStorage;
}

export const extensionStorage: StorageCollection = /* @__PURE__ */ withStorage(records);

export function isStorage<C extends object>(
  collection: C,
): collection is C & Pick<StorageCollection, 'openStorage'> {
  return 'openStorage' in collection;
}

/** Called as pure (the comment tells the bundler). */
function withStorage(collection: Collection): StorageCollection {
  return { ...collection, openStorage };
}

const NAME = 'extension-storage';

function openStorage(core: Core, platform: Platform, extId: string): ExtensionStorage {
  const read = async (): Promise<Map<string, unknown>> => {
    const [, body] = await core.reading(NAME, (store) => find(store, extId));
    return body === null ? new Map() : itemsOf(body);
  };

  const edit = (record: Body): Promise<void> =>
    core.writing(NAME, async (writable) => {
      const putRecord = (await import('./records.ts')).putRecord;
      const { store } = writable;
      const [, was] = await find(store, extId);
      const { id } = await putRecord(writable, platform, { ...record, extId });
      const [, is] = await find(store, extId);
      if (!isSameValue(was, is)) core.changed(NAME, id, 'put', store.collection.changes?.(was, is));
    });

  return {
    async get(keys = null) {
      const items = await read();
      const defaults = isDefaults(keys) ? keys : {};
      const wanted = isDefaults(keys) ? Object.keys(keys) : listOf(keys, items);
      const found = wanted.filter((key) => items.has(key)).map((key) => [key, items.get(key)]);
      return { ...defaults, ...Object.fromEntries(found) };
    },
    async set(items) {
      if (!isObject(items)) throw badInput('items: not an object');
      await edit({ set: items });
    },
    remove: (keys) => edit({ remove: listOf(keys, new Map()) }),
    clear: () =>
      core.writing(NAME, async ({ store, self }) => {
        const deleteRecord = (await import('./records.ts')).deleteRecord;
        for (;;) {
          const [id, was] = await find(store, extId);
          if (id === null) return;
          await deleteRecord(store, platform, id, self, (other) =>
            core.changed(NAME, other, 'delete'),
          );
          core.changed(NAME, id, 'delete', store.collection.changes?.(was, null));
        }
      }),
    async getBytesInUse(keys = null) {
      const items = await read();
      const bytes = listOf(keys, items).map((key) =>
        items.has(key) ? itemBytes(key, items.get(key)) : 0,
      );
      return bytes.reduce((sum, count) => sum + count, 0);
    },
    async call({ call, keys = null, items = {} }) {
      if (call === 'get') return { items: await this.get(keys) };
      if (call === 'bytes') return { bytes: await this.getBytesInUse(keys) };
      if (call === 'set') await this.set(items);
      else if (call === 'remove') await this.remove(keys ?? []);
      else if (call === 'clear') await this.clear();
      else throw badInput(`call: there is no ${call}`);
      return {};
    },
  };
}

async function find(store: CollectionStore, extId: string): Promise<[string | null, Body | null]> {
  if (typeof extId !== 'string' || extId === '') throw badInput('extId: not a text');
  const found = await findSame(store, { extId });
  if (found === null) return [null, null];
  return [ownIdOf(store.collection, found.id, found.body), found.body];
}

function itemsOf({ data }: Body): Map<string, unknown> {
  return new Map(Object.entries(JSON.parse(data as string)));
}

function listOf(keys: Keys, items: ReadonlyMap<string, unknown>): readonly string[] {
  if (keys === null) return [...items.keys()];
  const list = typeof keys === 'string' ? [keys] : keys;
  if (Array.isArray(list) && list.every((key) => typeof key === 'string'))
    return [...new Set(list)];
  throw badInput('keys: neither a text nor a list of texts');
}

function isDefaults(keys: Keys): keys is Body {
  return isObject(keys);
}
